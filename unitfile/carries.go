package unitfile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sttts/elastic-etcd/joiner"
)

// maxVariable is how long NAME=value may be, in bytes: the kernel's limit for
// one string of an environment (MAX_ARG_STRLEN), less its end.
const maxVariable = 128<<10 - 1

// carries tells whether a format can carry a value so that its reader gets
// back the same bytes.
func carries(f Format, s joiner.Setting) error {
	why := whyNot(s.Value)
	if why == "" && len(Variable(s.Flag))+1+len(s.Value) > maxVariable {
		why = fmt.Sprintf("it is longer than a variable can be (%d bytes)", maxVariable)
	}
	if why == "" && f == Flags {
		why = whyNotWord(s.Value)
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("%s cannot be printed as %s: the value %s: %s", s.Flag, f, short(s.Value), why)
}

// whyNot says what no format can carry. One byte of invalid UTF-8, or one
// noncharacter, makes systemd drop the rest of a drop-in, in silence.
func whyNot(value string) string {
	for i, r := range value {
		switch {
		case unicode.IsControl(r):
			return fmt.Sprintf("control character %U at byte %d", r, i)
		case nonCharacter(r):
			return fmt.Sprintf("noncharacter %U at byte %d", r, i)
		case r == utf8.RuneError && !strings.HasPrefix(value[i:], string(r)):
			return fmt.Sprintf("it is not valid UTF-8 at byte %d", i)
		}
	}
	return ""
}

func nonCharacter(r rune) bool {
	return r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}

// whyNotWord says what does not survive an unquoted $(...): the shell splits
// it at white space and expands wildcards. A bracket is let through where an
// IPv6 address has it: as a wildcard it would have to match a path below a
// directory "-initial-cluster=...:". (Only a bash with nullglob or failglob
// set still trips over it.)
func whyNotWord(value string) string {
	plain := strings.ReplaceAll(value, "://[", "://")
	if i := strings.IndexAny(plain, " *?["); i >= 0 {
		return fmt.Sprintf("a shell would split or expand it at %q; use -o env", plain[i:i+1])
	}
	return ""
}

// short quotes a value, bounded.
func short(value string) string {
	const most = 80
	if utf8.RuneCountInString(value) > most {
		return fmt.Sprintf("%.*q...", most, value)
	}
	return fmt.Sprintf("%q", value)
}
