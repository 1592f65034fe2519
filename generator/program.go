package generator

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Program is the file that the unit starts, "" = not known: a bare name is looked
// for on PATH. Of a shell or env that starts an etcd and nothing else, it is that
// etcd: Fedora's unit runs bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd".
func (u Unit) Program() string {
	if len(u.Command) == 0 {
		return ""
	}
	program := u.Command[0]
	if etcd, found := firstEtcd(u.started()); found {
		program = etcd
	}
	if !filepath.IsAbs(program) {
		return ""
	}
	return program
}

// started are the words that a shell or env starts, nil where it may be more than
// one command.
func (u Unit) started() []string {
	switch name := filepath.Base(u.Command[0]); {
	case name == "env":
		return u.Command[1:]
	case slices.Contains([]string{"sh", "bash", "dash"}, name) && len(u.Command) == 3 && u.Command[1] == "-c" && !strings.ContainsAny(u.Command[2], ";|&\n`"):
		return strings.Fields(u.Command[2])
	}
	return nil
}

// assignment has no white space in its value that words are split at.
var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=([^()"']*|\$\([^()"']*\))$`)

func firstEtcd(words []string) (etcd string, found bool) {
	for _, word := range words {
		if word == "exec" || assignment.MatchString(word) {
			continue
		}
		return word, slices.Contains([]string{"etcd", "etcd2"}, filepath.Base(word))
	}
	return "", false
}
