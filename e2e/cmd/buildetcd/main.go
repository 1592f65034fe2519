// Buildetcd builds the real etcd servers of the tests and the demo: all that
// are missing, two of them also with a clock that can be shifted; or those of
// the versions given (3.6 or 3.6.16).
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
	if err := build(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "buildetcd:", err)
		os.Exit(1)
	}
}

func build(ctx context.Context, versions []string) error {
	if len(versions) > 0 {
		return etcds.Build(ctx, versions, os.Stderr)
	}
	if err := etcds.Build(ctx, etcds.Versions(), os.Stderr); err != nil {
		return err
	}
	return etcds.BuildWithClock(ctx, etcds.VersionsWithClock(), os.Stderr)
}
