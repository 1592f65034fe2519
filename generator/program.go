package generator

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// Program is the file that the unit starts, "" = not known. Of a shell that starts
// an etcd and nothing else, it is that etcd: Fedora's unit runs
// bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd".
func (u Unit) Program() string {
	if len(u.Command) == 0 {
		return ""
	}
	if etcd, found := u.inShell(); found {
		return etcd
	}
	return u.Command[0]
}

// inShell is the etcd at which a shell's command begins.
func (u Unit) inShell() (path string, found bool) {
	shells := []string{"sh", "bash", "dash"}
	if len(u.Command) != 3 || u.Command[1] != "-c" || !slices.Contains(shells, filepath.Base(u.Command[0])) {
		return "", false
	}
	for _, word := range strings.Fields(u.Command[2]) {
		switch {
		case word == "exec" || assignment.MatchString(word):
			continue
		case filepath.IsAbs(word) && slices.Contains([]string{"etcd", "etcd2"}, filepath.Base(word)):
			return word, true
		}
		break
	}
	return "", false
}
