package cli

import (
	"context"

	"github.com/urfave/cli/v3"
)

// changeOwnMember makes a change of the member whose etcd runs on this host,
// after which there is nothing to tell etcd.
func (a *app) changeOwnMember(ctx context.Context, c *cli.Command, t *target, decide decision) error {
	s, err := a.readSettings(unitDefaults{c, t})
	if err != nil {
		return err
	}
	s.etcd = localEtcd{told: true} // it runs already
	s.thorough = true              // whether a learner follows, and who could lead, matters here
	w, err := a.open(c, s)
	if err != nil {
		return err
	}
	defer w.close()
	plan, err := w.run(ctx, decide)
	if err != nil {
		return err
	}
	return w.finish(plan)
}
