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

// shown is the command line of a host, without what only the demo needs.
func (s *stage) shown(h *cluster.Host) []string {
	return append(h.IdentityFlags(), "-discovery="+s.token)
}

func (s *stage) showCommand(h *cluster.Host) {
	command("etcd $(elastic-etcd -o flags %s) ...", strings.Join(s.shown(h), " "))
}
