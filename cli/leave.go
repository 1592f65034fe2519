package cli

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

func (a *app) leaveCommand() *cli.Command {
	return a.command(&cli.Command{
		Name:      "leave",
		Usage:     "takes this host's member out of its cluster for good",
		UsageText: "elastic-etcd leave [--unit UNIT] [global options]",
		Description: `Passes the leadership on if this host has it, and removes its member, unless it
is the last one or the quorum would be at risk. Its etcd then ends by itself.
The data stays where it is: the next start of etcd under elastic-etcd would put
it away and join anew, so disable the unit.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "unit", Usage: "the `unit` that runs etcd: what it sets is the default of the flags", Sources: a.env("unit")},
		},
		Action: a.leave,
	})
}

func (a *app) leave(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	t, err := runningTarget(ctx, c)
	if err != nil {
		return err
	}
	defer t.close()
	return a.changeOwnMember(ctx, c, t, joiner.RunLeave)
}
