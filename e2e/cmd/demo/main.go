// Command demo shows the main job on real etcd servers on loopback addresses:
// a discovery service, a cluster of three founded from one URL, a member lost
// for good, and a fresh host that takes its place.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// version is the etcd that is shown; "make demo" builds it.
const version = "3.6.16"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := cluster.Script(ctx, os.Stderr, func(t cluster.T) { newStage(t).play() })
	stop()
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Println("\ninterrupted: everything that was started is stopped and its files are gone")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
