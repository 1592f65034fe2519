package smallfile

import (
	"fmt"
	"strings"
)

// maxLine bounds a file with a password, in bytes.
const maxLine = 4 << 10

// Line reads the only line of a file, such as a password. Errors name the path,
// and never quote what is in it.
func Line(path string) (string, error) {
	text, err := Read(path)
	switch {
	case err != nil:
		return "", err
	case len(text) > maxLine:
		return "", fmt.Errorf("%s is longer than %d bytes", path, maxLine)
	}
	line, rest, _ := strings.Cut(string(text), "\n")
	if strings.TrimSpace(rest) != "" {
		return "", fmt.Errorf("%s has more than one line", path)
	}
	return strings.TrimSuffix(line, "\r"), nil
}
