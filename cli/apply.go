package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/generator"
	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/unitfile"
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
			&cli.BoolFlag{Name: "standby", Usage: "wait for a place in a full cluster, however long", Sources: a.env("standby")},
			&cli.BoolFlag{Name: "promotes", Usage: "elastic-etcd promote follows once etcd is up: join as a learner"},
			&cli.BoolFlag{Name: "retry", Usage: "try again every 5 s until the answer is final: for a oneshot that etcd requires"},
			&cli.BoolFlag{Name: "gate", Usage: "end with 255 instead of 75: for ExecCondition=, which takes other codes for a final no"},
		},
		Action: a.apply,
	})
}

// target is the unit to tell.
type target struct {
	name    string
	unit    generator.Unit
	dropIn  string // path
	envFile string // path; "" = variables go into the drop-in
	forced  bool   // the admin asked for the envFile
	manager *generator.Manager
	reload  bool
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

// exitGate is the code of an ExecCondition= that lets the unit fail, so that
// its Restart= tries again, instead of skipping it.
const exitGate = 255

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
	w, err := a.open(ctx, c, s)
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
	s = t.peerFiles(s)
	s.policy.Standby, s.policy.Promotes = c.Bool("standby"), c.Bool("promotes")
	if err := t.check(own(s)); err != nil {
		return s, &failure{joiner.ExitNeedsHuman, err}
	}
	return s, nil
}

func (a *app) applyDecision(ctx context.Context, w *world, t *target) error {
	plan, err := w.run(ctx)
	if err != nil {
		return unexpected(err)
	}
	if plan.Step == joiner.StepEmit {
		if err := t.write(ctx, *plan.Config, w.reporter.log.Infof); err != nil {
			return err
		}
		w.settle(ctx, plan)
	}
	w.reporter.end(plan)
	if plan.Exit != joiner.ExitDone {
		return &failure{code: plan.Exit}
	}
	return nil
}

func readTarget(ctx context.Context, c *cli.Command) (*target, error) {
	name, root := c.String("unit"), c.String("root")
	if err := generator.CheckUnit(name); err != nil {
		return nil, usagef("--unit: %w", err)
	}
	t := &target{
		name:    name,
		dropIn:  generator.DropInPath(filepath.Join(root, c.String("runtime-dir")), name, generator.DropInName),
		envFile: c.String("env-file"), forced: c.String("env-file") != "",
		reload: root == "" && !c.Bool("no-reload"),
	}
	if t.envFile == "" {
		t.envFile = filepath.Join(root, "/run/elastic-etcd", name+".env")
	}
	if root != "" {
		return t, nil
	}
	if err := t.ask(ctx); err != nil && t.reload {
		return nil, unexpected(err)
	}
	return t, nil
}

// ask looks at the unit before anything is changed: where systemd cannot be
// reached, the membership is not touched either.
func (t *target) ask(ctx context.Context) (err error) {
	if t.manager, err = generator.Connect(ctx); err != nil {
		return err
	}
	if t.unit, err = t.manager.Unit(ctx, t.name); err != nil {
		return err
	}
	if !t.unit.Loaded {
		return fmt.Errorf("systemd knows no unit %s (--unit names another)", t.name)
	}
	return nil
}

func (t *target) close() {
	if t.manager != nil {
		t.manager.Close()
	}
}

func (t *target) check(c joiner.EtcdConfig) error {
	if t.manager == nil {
		return nil
	}
	return t.unit.Check(c, t.envFile)
}

// write tells the unit. A drop-in cannot beat an EnvironmentFile=, but a
// later EnvironmentFile= can.
func (t *target) write(ctx context.Context, c joiner.EtcdConfig, say func(string, ...any)) error {
	options := unitfile.Options{}
	if beaten := t.unit.Beaten(c, t.envFile); len(beaten) > 0 {
		say("%s reads %s from an EnvironmentFile=, which beats a drop-in: the variables go into %s", t.name, beaten, t.envFile)
		options.EnvironmentFile = t.envFile
	}
	if t.forced {
		options.EnvironmentFile = t.envFile
	}
	if err := t.writeEnv(c, options); err != nil {
		return err
	}
	dropIn, err := unitfile.Render(unitfile.DropIn, c, options)
	if err != nil {
		return &failure{joiner.ExitNeedsHuman, err}
	}
	changed, err := generator.Write(t.dropIn, dropIn, 0o644)
	if err != nil {
		return &failure{joiner.ExitNeedsHuman, err}
	}
	if changed {
		say("wrote %s", t.dropIn)
	} else if t.unit.Has(c, t.dropIn, options.EnvironmentFile) {
		return nil
	}
	return t.reloadManager(ctx)
}

func (t *target) writeEnv(c joiner.EtcdConfig, options unitfile.Options) error {
	if options.EnvironmentFile == "" {
		return nil
	}
	env, err := unitfile.Render(unitfile.Env, c, unitfile.Options{})
	if err != nil {
		return &failure{joiner.ExitNeedsHuman, err}
	}
	if _, err := generator.Write(t.envFile, env, 0o600); err != nil {
		return &failure{joiner.ExitNeedsHuman, err}
	}
	return nil
}

// reloadManager takes the rate limit of systemd 253 and later for what it is:
// a matter of time.
func (t *target) reloadManager(ctx context.Context) error {
	if !t.reload {
		return nil
	}
	err := t.manager.Reload(ctx)
	for wait := time.Second; errors.Is(err, generator.ErrRateLimited) && pause(ctx, wait); wait = min(2*wait, 10*time.Second) {
		err = t.manager.Reload(ctx)
	}
	if errors.Is(err, generator.ErrRateLimited) {
		return &failure{joiner.ExitNotNow, err}
	}
	if err != nil {
		return unexpected(err)
	}
	return nil
}

// pause tells whether there is time left after d.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// unitDefaults are the flags, and for what etcd is told anyway, the unit.
type unitDefaults struct {
	*cli.Command
	target *target
}

// String gives a flag, or what the unit says of it.
func (d unitDefaults) String(name string) string {
	if d.Command.IsSet(name) {
		return d.Command.String(name)
	}
	switch name {
	case "name", "initial-advertise-peer-urls":
		if value := d.target.unit.Setting(name, d.target.envFile); value != "" {
			return value
		}
	case "data-dir", "wal-dir":
		if value := d.target.unit.Setting(name, d.target.envFile); value != "" {
			return d.target.unit.Path(value)
		}
	}
	return d.Command.String(name)
}
