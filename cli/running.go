package cli

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/generator"
	"github.com/sttts/elastic-etcd/joiner"
)

// These are for the commands about an etcd that runs: promote and leave. A plan
// asks about its unit as they do.

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

// carry decides what ends in nothing to tell etcd.
func (a *app) carry(ctx context.Context, c *cli.Command, t *target, run func(context.Context, joiner.Policy, joiner.World) (joiner.Plan, error)) error {
	s, err := a.readSettings(unitDefaults{c, t})
	if err != nil {
		return err
	}
	s.thorough = true // whether a learner follows, and who could lead, matters here
	w, err := a.open(ctx, c, s)
	if err != nil {
		return err
	}
	defer w.close()
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
