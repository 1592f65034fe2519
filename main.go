// Command elastic-etcd adds this host to an etcd cluster, or founds one, and
// tells etcd how: see README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/sttts/elastic-etcd/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE) // a journal that restarts must not end a wait
	context.AfterFunc(ctx, stop)   // the second signal ends what does not heed the first
	code := cli.Run(ctx, os.Args, os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
