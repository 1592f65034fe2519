package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

// exitFragile is the code of a cluster that serves, and loses its quorum with
// the next voter that fails.
const exitFragile = 3

func (a *app) statusCommand() *cli.Command {
	return a.command(&cli.Command{
		Name:      "status",
		Usage:     "shows the members, their health, and how many may fail",
		UsageText: "elastic-etcd status [-o text|json] [--unit UNIT] [global options]",
		Description: `Looks once at the cluster of this host: that of its data dir, else the one that
-discovery or -endpoints lead to. Ends with 0 while a voter may fail, with 3 when
none may any more (also in a cluster of one or two), with 75 without a quorum.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Value: "text", Usage: "the output `format` out of: text, json"},
			&cli.StringFlag{Name: "unit", Usage: "the `unit` that runs etcd: what it sets is the default of the flags", Sources: env("unit")},
		},
		Action: a.status,
	})
}

func (a *app) status(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	show, known := map[string]func(io.Writer, joiner.Status) error{"text": statusText, "json": statusJSON}[c.String("o")]
	if !known {
		return usagef("-o=%s is not text or json", c.String("o"))
	}
	t, err := runningTarget(ctx, c)
	if err != nil {
		return err
	}
	defer t.close()
	s, err := readSettings(looking{unitDefaults{c, t}})
	if err != nil {
		return err
	}
	s.thorough = true
	w, err := a.open(ctx, c, s)
	if err != nil {
		return err
	}
	defer w.close()
	return a.showStatus(ctx, w, show)
}

// looking needs no name: whoever only looks may be no member.
type looking struct{ unitDefaults }

// String gives a flag; the name of a host that has none is of no matter.
func (l looking) String(name string) string {
	value := l.unitDefaults.String(name)
	if value == "" && name == "name" {
		return "looking"
	}
	return value
}

func (a *app) showStatus(ctx context.Context, w *world, show func(io.Writer, joiner.Status) error) error {
	o, err := w.Observe(ctx)
	if err != nil {
		return &failure{joiner.ExitNeedsHuman, err}
	}
	s, ok := joiner.StatusOf(w.s.policy, o)
	if !ok {
		why := joiner.WhyNot(w.s.policy, o)
		return &failure{why.Exit, fmt.Errorf("%s (%s)", why.Text, why.Hint)}
	}
	var b bytes.Buffer
	if err := show(&b, s); err != nil {
		return unexpected(err)
	}
	if _, err := a.stdout.Write(b.Bytes()); err != nil {
		return unexpected(fmt.Errorf("write the status: %w", err))
	}
	if s.Tolerance < 1 {
		return &failure{code: exitFragile}
	}
	return nil
}
