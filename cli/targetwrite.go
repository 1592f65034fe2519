package cli

import (
	"context"
	"errors"
	"time"

	"github.com/sttts/elastic-etcd/generator"
	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/unitfile"
)

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
