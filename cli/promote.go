package cli

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/generator"
	"github.com/sttts/elastic-etcd/joiner"
)

func (a *app) promoteCommand() *cli.Command {
	return a.command(&cli.Command{
		Name:      "promote",
		Usage:     "makes this host's learner a voter once it has caught up",
		UsageText: "elastic-etcd promote [--unit UNIT [--no-block]] [global options]",
		Description: `Waits until the learner of this host, whose etcd runs, has caught up, removes
the dead member that it replaces if that is still listed, makes it a voter, and
tells the cluster that this host is done with its membership. Interrupted, it
is run again; a member that is a voter needs nothing.

With --no-block it goes on in a unit of its own, elastic-etcd-promote-UNIT, and
ends with 0 when that is started: for ExecStartPost=-+, where a failure would
take etcd with it and a large snapshot would hold up its start.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "unit", Usage: "the `unit` that runs etcd: what it sets is the default of the flags", Sources: env("unit")},
			&cli.BoolFlag{Name: "no-block", Usage: "go on in a unit of its own"},
		},
		Action: a.promote,
	})
}

func (a *app) promote(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	t, err := runningTarget(ctx, c)
	if err != nil {
		return err
	}
	defer t.close()
	if c.Bool("no-block") {
		return a.promoteBeside(ctx, c.String("unit"), t)
	}
	s, err := readSettings(unitDefaults{c, t})
	if err != nil {
		return err
	}
	w, err := a.open(ctx, c, s)
	if err != nil {
		return err
	}
	defer w.close()
	return w.carry(ctx, joiner.RunPromotion)
}

// runningTarget asks systemd only where the command line names a unit.
func runningTarget(ctx context.Context, c *cli.Command) (*target, error) {
	name := c.String("unit")
	if name == "" {
		if c.Bool("no-block") {
			return nil, usagef("--no-block needs --unit=UNIT, the unit that runs etcd")
		}
		return &target{}, nil
	}
	if err := generator.CheckUnit(name); err != nil {
		return nil, usagef("--unit: %w", err)
	}
	t := &target{name: name}
	if err := t.ask(ctx); err != nil {
		return nil, unexpected(err)
	}
	return t, nil
}

// carry runs a decision that ends in nothing to tell etcd.
func (w *world) carry(ctx context.Context, run func(context.Context, joiner.Policy, joiner.World) (joiner.Plan, error)) error {
	limited, cancel := context.WithTimeout(ctx, w.s.timeout)
	defer cancel()
	plan, err := run(limited, w.s.policy, w)
	if err != nil {
		return unexpected(err)
	}
	w.reporter.end(interrupted(ctx, plan))
	if plan.Exit != joiner.ExitDone {
		return &failure{code: plan.Exit}
	}
	return nil
}

// promoteBeside runs the same command line in a unit of its own.
func (a *app) promoteBeside(ctx context.Context, unit string, t *target) error {
	binary, err := os.Executable()
	if err != nil {
		return unexpected(err)
	}
	err = t.manager.StartBeside(ctx, generator.Beside{
		Unit: unit, Name: generator.BesideName("elastic-etcd-promote", unit),
		Description: "Make the etcd learner of " + unit + " a voter",
		Command:     append([]string{binary}, blocking(a.args[1:])...),
		Environment: ours(a.environ),
		Final:       []int{exitUsage, joiner.ExitNotConfigured, joiner.ExitNeedsHuman},
	})
	if err != nil {
		return unexpected(err)
	}
	return nil
}

// blocking is the command line without --no-block.
func blocking(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return strings.HasPrefix(arg, "-") && name == "no-block"
	})
}

// ours are the variables that the other process needs too. A password is not
// among them: everybody may read a unit's environment. It comes from the
// unit's EnvironmentFile= or from a --password-file.
func ours(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		return !strings.HasPrefix(kv, "ELASTIC_ETCD_") || strings.HasPrefix(kv, "ELASTIC_ETCD_PASSWORD=") || strings.HasPrefix(kv, "ELASTIC_ETCD_DISCOVERY_PASSWORD=")
	})
}
