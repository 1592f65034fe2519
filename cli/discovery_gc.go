package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

func (a *app) discoveryGC() *cli.Command {
	return a.apart(&cli.Command{
		Name:      "gc",
		Usage:     "deletes the registrations of hosts that are no members any more",
		UsageText: "elastic-etcd discovery gc [--dry-run] [URL]",
		Description: `Never touches the founders' places, and nothing without the word of the
cluster's quorum. ` + tokenUsage + `

Prints the value of each registration that is gone. Ends with 75 where the
cluster has no quorum or something could not be deleted, and with 78 if there is
no such token, or the cluster does not let us in (credentials, TLS).`,
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "dry-run", Usage: "print only what would be deleted"}},
		Action: a.collect,
	})
}

func (a *app) collect(ctx context.Context, c *cli.Command) error {
	w, err := a.openToken(c)
	if err != nil {
		return err
	}
	defer w.close()
	f, can := w.sources.Founding.(forgetter)
	if !can {
		return usagef("this source has no registrations that could be deleted")
	}
	r, err := w.lookAtToken(ctx)
	switch {
	case err != nil:
		return err
	case len(r.d.Entries) <= r.d.Size:
		return nil // founders only
	case r.cluster == nil:
		return &failure{r.untold.code, fmt.Errorf("nothing is deleted: %w", r.untold.err)}
	}
	return a.forgetAll(ctx, r.collectable(), f, c.Bool("dry-run"))
}

// forgetAll goes on where one cannot be deleted.
func (a *app) forgetAll(ctx context.Context, list []joiner.Entry, f forgetter, dry bool) error {
	forget := f.Forget
	if dry {
		forget = func(_ context.Context, e joiner.Entry) error { return f.Forgettable(e) }
	}
	var left error
	for _, e := range list {
		if err := forget(ctx, e); err != nil {
			left = andAlso(left, err)
			continue
		}
		if _, err := fmt.Fprintln(a.stdout, printable(e.Value)); err != nil {
			return unexpected(err)
		}
	}
	if left != nil {
		return &failure{joiner.ExitNotNow, left}
	}
	return nil
}

// andAlso is both errors on one line, or the second alone.
func andAlso(all, err error) error {
	if all == nil {
		return err
	}
	return fmt.Errorf("%w; %w", all, err)
}
