package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

func (a *app) statusCommand() *cli.Command {
	return a.command(&cli.Command{
		Name:      "status",
		Usage:     "shows the members, their health, and how many may fail",
		UsageText: "elastic-etcd status [-o text|json] [--unit UNIT] [global options]",
		Description: `Shows the cluster of this host: that of its data dir, else the one that
-discovery, another source or -endpoints lead to. It changes no member, and
takes a few seconds at most. Ends with 0 while a voter may fail, with 3 when none
may any more (also in a cluster of one or two), with 75 without a quorum, and
with 78 where the data dir is of another cluster. docs/status.md has the JSON.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Value: "text", Usage: "the output `format` out of: text, json"},
			&cli.StringFlag{Name: "unit", Usage: "the `unit` that runs etcd: what it sets is the default of the flags", Sources: a.env("unit")},
		},
		Action: a.status,
	})
}

// statusFormat prints a status.
type statusFormat func(io.Writer, joiner.Status) error

func (a *app) status(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	show, known := map[string]statusFormat{"text": statusText, "json": statusJSON}[c.String("o")]
	if !known {
		return usagef("-o=%s is not text or json", c.String("o"))
	}
	t, err := runningTarget(ctx, c)
	if err != nil {
		return err
	}
	defer t.close()
	s, err := a.readSettings(looking{unitDefaults{c, t}})
	if err != nil {
		return err
	}
	w, err := a.open(c, looks(s))
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

// looks are the settings of somebody who only looks: it waits for every
// member, and where it is told whom to ask, what may run at etcd's default URL
// of this host is not asked as well.
func looks(s settings) settings {
	s.thorough, s.etcd = true, localEtcd{told: true}
	if len(s.endpoints) > 0 && !s.policy.Announces {
		s.policy.PeerURLs = nil
	}
	return s
}

func (a *app) showStatus(ctx context.Context, w *world, show statusFormat) error {
	s, o, err := watchStatus(ctx, w.s.policy, w.Observe)
	if err != nil {
		return &failure{joiner.ExitNeedsHuman, err}
	}
	if s.Voters > 0 && !hopeless(w.s.policy, o, s) { // somebody told of a cluster
		if err := a.printStatus(s, show); err != nil {
			return unexpected(err)
		}
	}
	return statusEnd(w.s.policy, o, s)
}

func (a *app) printStatus(s joiner.Status, show statusFormat) error {
	var b bytes.Buffer
	if err := show(&b, s); err != nil {
		return fmt.Errorf("print the status: %w", err)
	}
	if _, err := a.stdout.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	return nil
}

// statusEnd is what the command ends with.
func statusEnd(p joiner.Policy, o joiner.Observation, s joiner.Status) error {
	switch {
	case !s.Quorum:
		why := joiner.WhyNot(p, o)
		return &failure{why.Exit, fmt.Errorf("%s (%s)", why.Text, why.Hint)}
	case s.Data == joiner.OwnForeign:
		return &failure{joiner.ExitNeedsHuman, fmt.Errorf("the data dir is of cluster %s, of which nobody was found, and not of cluster %s", o.Disk.ClusterID, s.Cluster.ID)}
	case s.Tolerance < 1:
		return &failure{code: exitFragile}
	}
	return nil
}

const (
	// watchTime is how long it is worth to look again: to see whether a log
	// stands still, or an election to its end.
	watchTime  = 3 * time.Second
	watchPause = 500 * time.Millisecond
)

// watchStatus looks until another look would tell no more, or watchTime is
// over.
func watchStatus(ctx context.Context, p joiner.Policy, observe func(context.Context) (joiner.Observation, error)) (s joiner.Status, o joiner.Observation, err error) {
	end := time.Now().Add(watchTime)
	for looks := 1; ; looks++ {
		if o, err = observe(ctx); err != nil {
			return s, o, err
		}
		s, _ = joiner.StatusOf(p, o)
		over := looks > 1 && time.Now().After(end) // one look cannot tell whether a log moves
		if s.Clear() || hopeless(p, o, s) || over || !pause(ctx, watchPause) {
			return s, o, nil
		}
	}
}

// hopeless tells whether no time mends that there is nothing to see: a cluster
// that does not let this host in may have its quorum.
func hopeless(p joiner.Policy, o joiner.Observation, s joiner.Status) bool {
	return !s.Quorum && joiner.WhyNot(p, o).Exit != joiner.ExitNotNow
}
