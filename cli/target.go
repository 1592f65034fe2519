package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/generator"
	"github.com/sttts/elastic-etcd/joiner"
)

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

// ownEtcd are settings with the etcd that the unit starts, where none was given:
// what PATH has may be another one.
func (t *target) ownEtcd(s settings) settings {
	if program := t.unit.Program(); !s.etcd.told && s.etcd.binary == "" && program != "" {
		s.etcd.binary, s.etcd.unit = program, t.name
	}
	return s
}

func (t *target) check(c joiner.EtcdConfig) error {
	if t.manager == nil {
		return nil
	}
	return t.unit.Check(c, t.envFile)
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
