package main

import (
	"fmt"
	"strings"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

func title(format string, args ...any) { fmt.Printf("\n"+format+"\n", args...) }

func command(format string, args ...any) { fmt.Printf("  $ "+format+"\n", args...) }

func output(text string) {
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		fmt.Println("    " + line)
	}
}

// decided shows what elastic-etcd said it did, and why.
func decided(r cluster.Result) {
	for _, line := range strings.Split(strings.TrimSpace(r.Stderr), "\n") {
		fmt.Println("    | " + line)
	}
}

// window is short, for the audience; the default is a minute.
const window = "-dead-after=5s"

// shown is the command line of a host.
func (s *stage) shown(h *cluster.Host) []string {
	return append(h.IdentityFlags(), "-discovery="+s.token, window)
}

func (s *stage) showCommand(h *cluster.Host) {
	command("FLAGS=$(elastic-etcd -o flags %s) && etcd $FLAGS ...", strings.Join(s.shown(h), " "))
}
