// Buildetcd builds the real etcd servers of the tests and the demo: all that
// are missing, or those of the versions given (3.6 or 3.6.16).
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/sttts/elastic-etcd/e2e/etcds"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	versions := os.Args[1:]
	if len(versions) == 0 {
		versions = etcds.Versions()
	}
	if err := etcds.Build(ctx, versions, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "buildetcd:", err)
		os.Exit(1)
	}
}
