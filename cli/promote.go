package cli

import (
	"context"
	"errors"
	"fmt"
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
			&cli.StringFlag{Name: "unit", Usage: "the `unit` that runs etcd: what it sets is the default of the flags", Sources: a.env("unit")},
			&cli.BoolFlag{Name: "no-block", Usage: "go on in a unit of its own"},
		},
		Action: a.promote,
	})
}

func (a *app) promote(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	if flag := secretIn(a.args); flag != "" && c.Bool("no-block") {
		return usagef("--no-block makes this command line that of a unit, which everybody can read: give no password by %s, but a file (-password-file), or a variable in an EnvironmentFile= of the unit", flag)
	}
	t, err := runningTarget(ctx, c)
	if err != nil {
		return err
	}
	defer t.close()
	if c.Bool("no-block") {
		return a.promoteBeside(ctx, c, t)
	}
	return a.changeOwnMember(ctx, c, t, joiner.RunPromotion)
}

// promoteBeside runs the same command line in a unit of its own.
func (a *app) promoteBeside(ctx context.Context, c *cli.Command, t *target) error {
	log, err := newLogger(c, a.stderr)
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return unexpected(err)
	}
	unit := c.String("unit")
	name := generator.BesideName("elastic-etcd-promote", unit)
	err = t.manager.StartBeside(ctx, generator.Beside{
		Unit: unit, Name: name,
		Description: "Make the etcd learner of " + unit + " a voter",
		Command:     append([]string{binary}, blocking(a.args[1:])...),
		Environment: ours(a.environ),
		Again:       joiner.ExitNotNow,
		Final:       []int{exitUsage, joiner.ExitNotConfigured, joiner.ExitNeedsHuman},
	})
	if errors.Is(err, generator.ErrDown) {
		return &failure{joiner.ExitNotNow, fmt.Errorf("%w: there is nobody to promote before it is started", err)}
	}
	if err != nil {
		return unexpected(err)
	}
	log.Infof("promote goes on as %s", name)
	return nil
}

// blocking is the command line without --no-block.
func blocking(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return strings.HasPrefix(arg, "-") && name == "no-block"
	})
}

// secretIn gives the flag of a command line that has a password in it.
func secretIn(args []string) string {
	for i, arg := range args {
		name, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !given && i+1 < len(args) {
			value = args[i+1]
		}
		switch {
		case !strings.HasPrefix(arg, "-"):
		case name == "discovery-password", (name == "user" || name == "discovery-user") && strings.Contains(value, ":"):
			return "-" + name
		}
	}
	return ""
}

// ours are the variables that the other process needs too. A password is not
// among them, nor a user with one: everybody may read a unit's environment. It
// comes from the unit's EnvironmentFile= or from a --password-file.
func ours(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		name, value, _ := strings.Cut(kv, "=")
		return !strings.HasPrefix(name, "ELASTIC_ETCD_") || strings.HasSuffix(name, "_PASSWORD") ||
			strings.HasSuffix(name, "_USER") && strings.Contains(value, ":")
	})
}
