package cli

import (
	"context"
	"errors"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/generator"
	"github.com/sttts/elastic-etcd/joiner"
)

func (a *app) applyCommand() *cli.Command {
	return a.command(&cli.Command{
		Name:      "apply",
		Usage:     "decides, and tells a systemd unit by a drop-in",
		UsageText: "elastic-etcd apply [--unit UNIT] [--standby] [global options]",
		Description: `Decides as the default command does, writes UNIT.d/99-elastic-etcd.conf whole
or not at all, and has systemd read it. Bytes that are there already are not
written again, and nothing is reloaded. What the unit sets (name, data dir, WAL
dir, peer URLs) is the default of the flags.

Run it as ExecCondition=+, with --gate, or ExecStartPre=+ of the unit itself.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "unit", Value: "etcd.service", Usage: "the `unit` that runs etcd", Sources: a.env("unit")},
			&cli.StringFlag{Name: "runtime-dir", Value: generator.RuntimeDir, Usage: "the `directory` of units to write to", Sources: a.env("runtime-dir")},
			&cli.StringFlag{Name: "root", Usage: "a `directory` to write below, without asking or reloading the systemd that runs"},
			&cli.BoolFlag{Name: "no-reload", Usage: "write, and leave it to others to have systemd read it"},
			&cli.StringFlag{Name: "env-file", Usage: "put the variables into this `file`, and an EnvironmentFile= into the drop-in (default: only where the unit has one that sets the same)", Sources: a.env("env-file")},
			&cli.BoolFlag{Name: "standby", Usage: "wait for a place in a full cluster, however long; where nothing says its size, for one among as many members as there were at first", Sources: a.env("standby")},
			&cli.BoolFlag{Name: "promotes", Usage: "elastic-etcd promote follows once etcd is up: join as a learner"},
			&cli.BoolFlag{Name: "retry", Usage: "try again every 5 s until the answer is final: for a oneshot that etcd requires"},
			&cli.BoolFlag{Name: "gate", Usage: "end with 255 instead of 75: for ExecCondition=, which takes other codes for a final no"},
		},
		Action: a.apply,
	})
}

func (a *app) apply(ctx context.Context, c *cli.Command) error {
	err := a.applyOnce(ctx, c)
	for c.Bool("retry") && isNotFinal(err) && pause(ctx, generator.RetryPause) {
		err = a.applyOnce(ctx, c)
	}
	// A unit that is being stopped starts no etcd after 0 either, and after any
	// other code it has failed.
	if err != nil && ctx.Err() != nil && (c.Bool("gate") || c.Bool("retry")) && generator.Stopping() {
		return nil
	}
	var f *failure
	if c.Bool("gate") && errors.As(err, &f) && f.code == joiner.ExitNotNow {
		return &failure{exitGate, f.err}
	}
	return err
}

// isNotFinal tells whether a run may end otherwise another time. What is
// unexpected may be systemd's bus, which is late.
func isNotFinal(err error) bool {
	var f *failure
	return errors.As(err, &f) && (f.code == joiner.ExitNotNow || f.code == exitUnexpected)
}

func (a *app) applyOnce(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	t, err := readTarget(ctx, c)
	if err != nil {
		return err
	}
	defer t.close()
	s, err := a.applied(c, t)
	if err != nil {
		return err
	}
	w, err := a.open(c, s)
	if err != nil {
		return err
	}
	defer w.close()
	return a.applyDecision(ctx, w, t)
}

// applied are the settings with which a unit is told; plan shows the same.
func (a *app) applied(c *cli.Command, t *target) (settings, error) {
	s, err := a.readSettings(unitDefaults{c, t})
	if err != nil {
		return s, err
	}
	s = t.ownEtcd(t.peerFiles(s))
	s.policy.Standby, s.policy.Promotes = c.Bool("standby"), c.Bool("promotes")
	if err := t.check(own(s)); err != nil {
		return s, &failure{joiner.ExitNeedsHuman, err}
	}
	return s, nil
}

func (a *app) applyDecision(ctx context.Context, w *world, t *target) error {
	plan, err := w.run(ctx, joiner.Run)
	if err != nil {
		return err
	}
	if plan.Step == joiner.StepEmit {
		if err := t.write(ctx, *plan.Config, w.reporter.log.Infof); err != nil {
			return err
		}
		w.settle(ctx, plan)
	}
	return w.finish(plan)
}
