package etcdstore

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// birth is the value of a token's key; it never changes.
type birth struct {
	size int
	at   time.Time
	mark string
}

func (b birth) String() string {
	return fmt.Sprintf("%d %s %s", b.size, b.at.UTC().Format(time.RFC3339), b.mark)
}

func parseBirth(s string) (b birth, err error) {
	words := strings.Split(s, " ")
	if len(words) != 3 {
		return b, fmt.Errorf("damaged token: %.80q", s)
	}
	b.mark = words[2]
	if b.size, err = strconv.Atoi(words[0]); err != nil {
		return b, fmt.Errorf("damaged token: %w", err)
	}
	if b.at, err = time.Parse(time.RFC3339, words[1]); err != nil {
		return b, fmt.Errorf("damaged token: %w", err)
	}
	return b, nil
}

// newMark makes the mark that stands before a value, by which a writer whose
// answer was lost knows what it wrote itself.
func newMark() string {
	b := make([]byte, 8)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}

func marked(mark, value string) string { return mark + " " + value }

func unmark(s string) (mark, value string, err error) {
	mark, value, found := strings.Cut(s, " ")
	if !found {
		return "", "", fmt.Errorf("damaged registration: %.80q", s)
	}
	return mark, value, nil
}
