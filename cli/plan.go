package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

// report is what plan prints as JSON, and what --observation reads back.
type report struct {
	Policy      joiner.Policy      `json:"policy"`
	Observation joiner.Observation `json:"observation"`
	Plans       []joiner.Plan      `json:"plans"`
	// Warnings are for people, of a decision that is not refused for them.
	Warnings []string `json:"warnings,omitempty"`
}

func newReport(p joiner.Policy, o joiner.Observation, plans []joiner.Plan) report {
	r := report{Policy: p, Observation: o, Plans: plans}
	if plans[len(plans)-1].Step == joiner.StepEmit {
		r.Warnings = joiner.Warnings(p, o)
	}
	return r
}

func (a *app) planCommand() *cli.Command {
	return a.command(&cli.Command{
		Name:      "plan",
		Usage:     "decides and explains, changes nothing",
		UsageText: "elastic-etcd plan [-o text|json] [--unit UNIT [--promotes] [--standby]] [--observation FILE] [global options]",
		Description: `Gathers the same evidence as the default command, or with --unit as apply, and
prints the steps that it would take, and why. Ends with the exit code that the
last step has.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Value: "text", Usage: "the output `format` out of: text, json"},
			&cli.StringFlag{Name: "unit", Usage: "plan what apply would do for this `unit`: what it sets is the default of the flags", Sources: a.env("unit")},
			&cli.BoolFlag{Name: "promotes", Usage: "plan for apply --promotes: join as a learner"},
			&cli.BoolFlag{Name: "standby", Usage: "plan for apply --standby: wait for a place in a full cluster", Sources: a.env("standby")},
			&cli.StringFlag{Name: "observation", Usage: "decide on the JSON of an earlier plan in this `file`, without looking at the world"},
		},
		Action: a.plan,
	})
}

func (a *app) plan(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	show, known := map[string]func(io.Writer, report) error{"text": writeText, "json": writeJSON}[c.String("o")]
	if !known {
		return usagef("-o=%s is not text or json", c.String("o"))
	}
	r, err := a.makeReport(ctx, c)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := show(&b, r); err != nil {
		return unexpected(err)
	}
	if _, err := a.stdout.Write(b.Bytes()); err != nil {
		return unexpected(fmt.Errorf("write the plan: %w", err))
	}
	if code := r.Plans[len(r.Plans)-1].Exit; code != joiner.ExitDone {
		return &failure{code: code}
	}
	return nil
}

func (a *app) makeReport(ctx context.Context, c *cli.Command) (report, error) {
	if file := c.String("observation"); file != "" {
		return replay(file)
	}
	t, err := runningTarget(ctx, c)
	if err != nil {
		return report{}, err
	}
	defer t.close()
	s, err := a.applied(c, t)
	if err != nil {
		return report{}, err
	}
	w, err := a.open(c, s)
	if err != nil {
		return report{}, err
	}
	defer w.close()
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	plans, o, err := joiner.Rehearse(ctx, s.policy, w)
	if err != nil {
		return report{}, unexpected(err)
	}
	return newReport(s.policy, o, plans), nil
}

// maxObservation bounds an observation file, in bytes.
const maxObservation = 16 << 20

// replay decides again on the observation of an earlier plan.
func replay(file string) (report, error) {
	f, err := os.Open(file)
	if err != nil {
		return report{}, usagef("--observation: %w", err)
	}
	defer f.Close()
	var r report
	if err := json.NewDecoder(io.LimitReader(f, maxObservation)).Decode(&r); err != nil {
		return report{}, usagef("--observation=%s is not the JSON that plan -o json prints: %w", file, err)
	}
	if r.Policy.Name == "" {
		return report{}, usagef("--observation=%s has no policy: it is not what plan -o json prints", file)
	}
	return newReport(r.Policy, r.Observation, joiner.Foresee(r.Policy, r.Observation)), nil
}

func writeJSON(w io.Writer, r report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
