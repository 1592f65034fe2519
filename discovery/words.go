package discovery

import (
	"errors"
	"fmt"
	"strings"
)

// shellOnly is what a shell would act on outside of quotes, and nobody does
// here. Inside double quotes only the last two are left.
const shellOnly = ";&|<>()`$"

// splitWords splits a command line as a POSIX shell does: at white space,
// with backslash, single and double quotes. What only a shell could do is an
// error, for who writes it expects it done.
func splitWords(line string) ([]string, error) {
	var w splitter
	for _, r := range line {
		if err := w.next(r); err != nil {
			return nil, err
		}
	}
	if w.quote != 0 || w.escaped {
		return nil, errors.New("a quote or a backslash is open at its end")
	}
	w.end()
	return w.words, nil
}

type splitter struct {
	words   []string
	word    strings.Builder
	inWord  bool
	quote   rune // ' or " when inside
	escaped bool
}

func (w *splitter) next(r rune) error {
	switch {
	case w.escaped && r == '\n': // goes on in the next line
		w.escaped = false
	case w.escaped:
		if w.quote == '"' && !strings.ContainsRune("\"\\$`", r) {
			w.word.WriteRune('\\') // it stays, before all but these
		}
		w.escaped = false
		w.add(r)
	case r == '\\' && w.quote != '\'':
		w.escaped = true
	case r == w.quote:
		w.quote = 0
	case w.quote == '\'':
		w.add(r)
	case w.quote == '"' && strings.ContainsRune("`$", r), w.quote == 0 && strings.ContainsRune(shellOnly, r):
		return fmt.Errorf("there is no shell that would act on %q: put single quotes around it, or a script in its place", r)
	case w.quote == '"':
		w.add(r)
	case r == '\'' || r == '"':
		w.quote, w.inWord = r, true
	case strings.ContainsRune(" \t\n", r):
		w.end()
	default:
		w.add(r)
	}
	return nil
}

func (w *splitter) add(r rune) {
	w.inWord = true
	w.word.WriteRune(r)
}

func (w *splitter) end() {
	if w.inWord {
		w.words = append(w.words, w.word.String())
	}
	w.word.Reset()
	w.inWord = false
}
