package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/unitfile"
)

// decideAndPrint is the command without a name: decide, change the
// membership if that is needed, print the configuration.
func (a *app) decideAndPrint(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	out, err := readOutput(c)
	if err != nil {
		return err
	}
	s, err := a.readSettings(c)
	if err != nil {
		return err
	}
	if err := a.printableAtAll(out, s); err != nil {
		return err
	}
	w, err := a.open(c, s)
	if err != nil {
		return err
	}
	defer w.close()
	return a.print(ctx, w, out)
}

func (a *app) print(ctx context.Context, w *world, out output) error {
	plan, err := w.run(ctx, joiner.Run)
	if err != nil {
		return err
	}
	if plan.Step != joiner.StepEmit {
		return w.finish(plan)
	}
	artefact, err := unitfile.Render(out.format, *plan.Config, out.options)
	if err != nil {
		return &failure{joiner.ExitNeedsHuman, err}
	}
	w.settle(ctx, plan)
	if _, err := a.stdout.Write(artefact); err != nil {
		return unexpected(fmt.Errorf("write the configuration: %w", err))
	}
	return w.finish(plan)
}

// output is how the configuration is printed.
type output struct {
	format  unitfile.Format
	options unitfile.Options
}

func readOutput(c *cli.Command) (output, error) {
	format, err := unitfile.ParseFormat(c.String("o"))
	if err != nil {
		return output{}, usagef("-o: %w", err)
	}
	requires := c.String("requires")
	if requires != "yes" && requires != "no" {
		return output{}, usagef("-requires=%s is not yes or no", requires)
	}
	return output{format, unitfile.Options{Export: c.Bool("export"), Requires: requires == "yes"}}, nil
}

// printableAtAll fails before anything is changed if what the admin gave
// cannot be printed, or would meet an environment that spoils it.
func (a *app) printableAtAll(out output, s settings) error {
	if _, err := unitfile.Render(out.format, own(s), out.options); err != nil {
		return &failure{exitUsage, err}
	}
	if err := unitfile.Conflicts(out.format, a.environ, own(s)); err != nil {
		return &failure{joiner.ExitNeedsHuman, err}
	}
	return nil
}

// own is the most that etcd can be told as far as it is known beforehand:
// that of a founder.
func own(s settings) joiner.EtcdConfig {
	p := s.policy
	return joiner.EtcdConfig{
		Name: p.Name, DataDir: p.DataDir, WALDir: p.WALDir,
		InitialAdvertisePeerURLs: p.PeerURLs,
		InitialCluster:           []joiner.Peer{{Name: p.Name, URLs: p.PeerURLs}},
		InitialClusterState:      joiner.StateNew,
		InitialClusterToken:      s.sources.founding.token,
	}
}
