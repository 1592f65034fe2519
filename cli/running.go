package cli

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

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
