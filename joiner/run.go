package joiner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// World is all that Run needs of the outside.
type World interface {
	// Observe looks at everything once. It is bounded in time by itself and
	// by ctx. What cannot be reached is part of the observation; an error
	// means that looking itself is impossible.
	Observe(ctx context.Context) (Observation, error)
	// Do carries out one step that changes something. It is safe to call
	// for a step that already happened. An error is tried again until the
	// time is up, unless it is a *Refusal.
	Do(ctx context.Context, plan Plan) error
	// Report is told every decision, also the repeated ones of a wait.
	Report(plan Plan)
}

// Refusal is an error that no retry mends, such as a directory that cannot
// be written.
type Refusal struct {
	Err  error
	Hint string
}

func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Run observes, decides, does one step and observes again, until a plan is
// final or ctx ends. It returns the last plan; its Exit says how it went.
func Run(ctx context.Context, p Policy, w World) (Plan, error) {
	plan, o, err := loop(ctx, p, w, Decide, Plan.Final)
	letGo(ctx, p, plan, o, w)
	return plan, err
}

// RunPromotion is Run for a host whose etcd has been started: it ends when the
// member of this host is a voter.
func RunPromotion(ctx context.Context, p Policy, w World) (Plan, error) {
	plan, _, err := loop(ctx, p, w, DecidePromotion, Plan.Final)
	return plan, err
}

// RunLeave is Run for a host that is to leave its cluster.
func RunLeave(ctx context.Context, p Policy, w World) (Plan, error) {
	// Once its member is gone, only this run knows which URLs it had.
	decide := func(now Policy, o Observation) Plan {
		if c, found := o.leaving(); found {
			if m, listed := o.self(now, c); listed {
				p = p.as(m)
			}
		}
		now.Own, now.OwnName = p.Own, p.OwnName
		return DecideLeave(now, o)
	}
	plan, o, err := loop(ctx, p, w, decide, Plan.Final)
	letGo(ctx, p, plan, o, w)
	return plan, err
}

// lastLook is the time that a run has, after its own time is up, to leave
// nothing half done.
const lastLook = 10 * time.Second

// letGo gives up an intent that nobody goes on with; without success it runs
// out by itself. It looks again before: a step of which nobody saw the end may
// have been done, and so may the add of this host.
func letGo(ctx context.Context, p Policy, plan Plan, o Observation, w World) {
	_, held := o.letGo(p)
	if !held && plan.Reason != StepFailed {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	var last Step
	for { // the intent, and then what was begun under it
		o, err := w.Observe(ctx)
		if err != nil || ctx.Err() != nil {
			return
		}
		end, held := o.letGo(p)
		if !held || end.Step == last {
			return
		}
		last = end.Step
		w.Report(end)
		_ = w.Do(ctx, end)
	}
}

// electionGrace is how long a rehearsal waits for a quorum: a cluster whose
// leader just died has none until the election is over (etcd's default
// election timeout is 1 s, five times that is common over long links).
const electionGrace = 10 * time.Second

// Rehearse is Run without changing anything: it gathers the evidence that
// the decision needs, and then foresees the steps that Run would take. It
// waits for an election, but not for other hosts or for people.
func Rehearse(ctx context.Context, p Policy, w World) ([]Plan, Observation, error) {
	start := time.Now()
	plan, o, err := loop(ctx, p, w, Decide, func(plan Plan) bool {
		electing := plan.Reason == ClusterNoQuorum && time.Since(start) < electionGrace
		return plan.Step != StepWatch && !electing
	})
	if err != nil || plan.Final() || plan.Step == StepWatch {
		return []Plan{plan}, o, err
	}
	return Foresee(p, o), o, nil
}

// loop runs until done says so or the time is up.
func loop(ctx context.Context, p Policy, w World, decide func(Policy, Observation) Plan, done func(Plan) bool) (plan Plan, o Observation, err error) {
	var pace pacer
	var cause *Cause
	var last Step // a step that nobody sees the effect of must not spin
	start := time.Now()
	for {
		seen, err := w.Observe(ctx)
		if ctx.Err() != nil {
			if plan.Step == "" {
				return unseen(seen), o, nil
			}
			return timeUp(plan, cause), o, nil // what was seen of a world cut short proves nothing
		}
		if err != nil {
			return orRefuse("look at this host", err), o, unlessRefusal(err)
		}
		o, p = seen, p.Settle(seen)
		o.Elapsed = Duration(time.Since(start))
		plan = decide(p, o)
		plan.Cause = cause
		if done(plan) {
			return plan, o, nil
		}
		w.Report(plan)
		if plan.Step.Changes() {
			if err = w.Do(ctx, plan); unlessRefusal(err) != err {
				return orRefuse(string(plan.Step), err), o, nil
			}
			cause = causeOf(plan, err)
			again := plan.Step == last
			if last = plan.Step; cause == nil && !again {
				pace = pacer{}
				continue
			}
		}
		if !pace.pause(ctx, plan) {
			return timeUp(plan, cause), o, nil
		}
	}
}

// unseen is the plan of a run that ended before its first look was over:
// it proves nothing, but whoever had not answered is in it.
func unseen(o Observation) Plan {
	text := "the run ended before the first look was over"
	if why := o.unanswered(); len(why) > 0 {
		text += ": " + strings.Join(why, "; ")
	} else {
		text += o.failure()
	}
	plan := watch(text)
	plan.Hint = "give more time (-timeout), or see why the sources of members do not answer"
	return plan
}

// unanswered quotes the sources that gave no answer.
func (o Observation) unanswered() []string {
	var why []string
	if d := o.Discovery.failure(); d != "" {
		why = append(why, d)
	}
	for _, h := range o.Hints {
		if h.Error != "" {
			why = append(why, h.Source+": "+h.Error)
		}
	}
	return why
}

// orRefuse is the plan that an error leads to which no retry mends.
func orRefuse(doing string, err error) Plan {
	hint := ""
	if r := (*Refusal)(nil); errors.As(err, &r) {
		hint = r.Hint
	}
	return refuse(StepFailed, fmt.Sprintf("%s: %v", doing, err), hint)
}

// unlessRefusal is the error, or nil where it is a refusal.
func unlessRefusal(err error) error {
	if r := (*Refusal)(nil); errors.As(err, &r) {
		return nil
	}
	return err
}

func causeOf(plan Plan, err error) *Cause {
	if err == nil {
		return nil
	}
	return &Cause{Step: plan.Step, Error: err.Error()}
}

// timeUp is the plan of a run whose time is over or that a signal ends: a step that was not seen to
// have worked is not a success.
func timeUp(plan Plan, cause *Cause) Plan {
	if !plan.Step.Changes() {
		return plan
	}
	why := "nobody saw that it worked"
	if cause != nil {
		why = cause.Error
	}
	return wait(StepFailed, fmt.Sprintf("the run ended before the step %s was done: %s", plan.Step, why), "try again")
}

// Settle fixes the size at the members that the cluster has when it is first
// seen: after a removal it must not look full with one less.
func (p Policy) Settle(o Observation) Policy {
	c, several := o.ours()
	if c == nil || several || o.Discovery.Error != "" { // the service may still say it
		return p
	}
	if _, known := knownSize(p, o, *c); !known {
		p.Size = len(c.Members)
	}
	return p
}

// pacer spaces out observations, from often to every second, and to every few
// for a standby host, which may look for months.
type pacer struct{ next time.Duration }

const (
	shortestPause = 50 * time.Millisecond
	longestPause  = time.Second
	standbyPause  = 5 * time.Second
)

// pause waits, and tells whether there is time left.
func (p *pacer) pause(ctx context.Context, plan Plan) bool {
	longest := longestPause
	if plan.Reason == ClusterFull || plan.Reason == AuthFailed {
		longest = standbyPause
	}
	p.next = min(max(p.next*3/2, shortestPause), longest)
	t := time.NewTimer(p.next)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
