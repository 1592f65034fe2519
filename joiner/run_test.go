package joiner

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script is a World that plays observations and remembers steps. The last
// observation repeats.
type script struct {
	world   []Observation
	err     error // of Observe
	fail    int   // how many times Do fails
	refusal bool  // and whether for good
	slow    time.Duration
	steps   []string
	reports int
}

func (s *script) Observe(ctx context.Context) (Observation, error) {
	select {
	case <-ctx.Done():
	case <-time.After(s.slow):
	}
	o := s.world[0]
	if len(s.world) > 1 {
		s.world = s.world[1:]
	}
	return o, s.err
}

func (s *script) Do(_ context.Context, plan Plan) error {
	s.steps = append(s.steps, string(plan.Step))
	if s.refusal {
		return &Refusal{Err: errors.New("read-only file system"), Hint: "remount it"}
	}
	if s.fail > 0 {
		s.fail--
		return errors.New("unhealthy cluster")
	}
	return nil
}

func (s *script) Report(Plan) { s.reports++ }

var (
	// claimless is full before this host has claimed its intent.
	claimless = observed(cluster("healthy healthy dead"))
	full      = observed(cluster("healthy healthy dead", intent(4), begun(4, 1, 2, 3)))
	roomy     = observed(cluster("healthy healthy", intent(4), begun(4, 1, 2, 3)))
	listed    = observed(cluster("healthy healthy", intent(4), alsoMember(member(4, "added"))))
	founders2 = foundingBy(1, "unspent", founder(1), founder(2))
)

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name   string
		world  script
		steps  string
		step   Step
		reason Reason
		exit   int
	}{
		{"one step after the other", script{world: []Observation{full, roomy, listed}}, "remove add", StepEmit, JoinListed, 0},
		{"a step that fails is tried again", script{world: []Observation{full, full, roomy, listed}, fail: 1}, "remove remove add", StepEmit, JoinListed, 0},
		{"a step that happened in spite of its error is not repeated", script{world: []Observation{roomy, listed}, fail: 1}, "add", StepEmit, JoinListed, 0},
		{"a refusal ends it", script{world: []Observation{full}, refusal: true}, "remove release", StepRefuse, StepFailed, 78},
		{"a wait ends with the time", script{world: []Observation{foundingBy(1, "unspent", founder(1))}}, "", StepWait, FoundersMissing, 75},
		{"so does one that may need a human", script{world: []Observation{foundingBy(1, "none", founder(1), founder(2), founder(3))}}, "", StepWait, FounderLostDisk, 75},
		{"a looking that cannot be", script{world: []Observation{{}}, err: &Refusal{Err: errors.New("data: permission denied")}}, "", StepRefuse, StepFailed, 78},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			plan, err := Run(ctx, host(4-3*boolInt(c.reason == FoundersMissing || c.reason == FounderLostDisk)), &c.world)
			if err != nil || plan.Step != c.step || plan.Reason != c.reason || plan.Exit != c.exit {
				t.Errorf("%s: got %s %s %d, %v; want %s %s %d", c.name, plan.Step, plan.Reason, plan.Exit, err, c.step, c.reason, c.exit)
			}
			if got := strings.Join(c.world.steps, " "); got != c.steps {
				t.Errorf("%s: did %q, want %q", c.name, got, c.steps)
			}
		})
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A step that fails to the end is a plan that says so.
func TestRunTellsWhatKeptFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		w := &script{world: []Observation{roomy}, fail: 1 << 20}
		plan, err := Run(ctx, host(4), w)
		if err != nil || plan.Reason != StepFailed || plan.Exit != ExitNotNow || !strings.Contains(plan.Text, "unhealthy cluster") {
			t.Errorf("got %s %d %q, %v", plan.Reason, plan.Exit, plan.Text, err)
		}
		if len(w.steps) < 50 || len(w.steps) > 100 {
			t.Errorf("%d attempts in a minute", len(w.steps))
		}
	})
}

// The time is up while the next observation is made: the step before it was
// not seen to have worked, which is not a success.
func TestRunOutOfTimeAfterAStep(t *testing.T) {
	for _, fail := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			w := &script{world: []Observation{roomy}, slow: 3 * time.Second, fail: fail}
			plan, err := Run(ctx, host(4), w)
			if err != nil || plan.Step != StepWait || plan.Reason != StepFailed || plan.Exit != ExitNotNow {
				t.Errorf("got %s %s %d, %v", plan.Step, plan.Reason, plan.Exit, err)
			}
		})
	}
}

// An observation that the deadline cut short shows a world in which nobody
// answers: it must not found a cluster.
func TestRunDropsAnObservationCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := &script{world: []Observation{foundingBy(1, "unspent", founder(1), founder(2), founder(3))}, slow: time.Minute}
		plan, err := Run(ctx, host(1), w)
		if err != nil || plan.Step != StepWatch || plan.Exit != ExitNotNow {
			t.Errorf("got %s %s %d, %v", plan.Step, plan.Reason, plan.Exit, err)
		}
	})
}

func TestRunReturnsAnUnexpectedError(t *testing.T) {
	boom := errors.New("boom")
	if _, err := Run(t.Context(), host(4), &script{world: []Observation{{}}, err: boom}); !errors.Is(err, boom) {
		t.Errorf("got %v, want %v", err, boom)
	}
}

// Rehearse waits for evidence, but for nobody, and changes nothing.
func TestRehearse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &script{world: []Observation{observed(cluster("healthy healthy silent")), observed(cluster("healthy healthy silent")), full}}
		plans, o, err := Rehearse(t.Context(), host(4), w)
		if err != nil || len(plans) != 4 || plans[0].Reason != FullDead || len(o.Clusters) != 1 {
			t.Errorf("got %v, %v", plans, err)
		}
		if len(w.steps) != 0 || w.reports != 2 {
			t.Errorf("a rehearsal did %q and reported %d times; it watched twice", w.steps, w.reports)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		leaderless := with(observed(), func(o *Observation) { o.Views = []View{served(2, "healthy healthy healthy")} })
		plans, _, err := Rehearse(t.Context(), host(4), &script{world: []Observation{leaderless, full}})
		if err != nil || plans[0].Reason != FullDead {
			t.Errorf("during an election: got %v, %v", plans, err)
		}
		start := time.Now()
		plans, _, err = Rehearse(t.Context(), host(4), &script{world: []Observation{leaderless}})
		if took := time.Since(start); err != nil || plans[0].Reason != ClusterNoQuorum || took < electionGrace || took > 2*electionGrace {
			t.Errorf("without a quorum: got %v, %v after %s", plans, err, took)
		}
	})
	plans, _, err := Rehearse(t.Context(), host(1), &script{world: []Observation{founders2}})
	if err != nil || len(plans) != 1 || plans[0].Step != StepWait {
		t.Errorf("got %v, %v; want one wait at once", plans, err)
	}
}

// The time is up just after a step: the run looks once more, and leaves nothing
// half done that it can undo.
func TestRunLooksOnceMore(t *testing.T) {
	for _, c := range []struct {
		name  string
		then  Observation
		steps string
	}{
		{"the claim was made", full, "claim release"},
		{"the claim was lost", claimless, "claim"},
		{"this host is added meanwhile", listed, "claim"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			w := &script{world: []Observation{claimless, claimless, c.then}, slow: 600 * time.Millisecond}
			plan, err := Run(ctx, host(4), w)
			if err != nil || plan.Reason != StepFailed || strings.Join(w.steps, " ") != c.steps {
				t.Errorf("%s: did %q, want %q; got %s, %v", c.name, w.steps, c.steps, plan.Reason, err)
			}
		})
	}
}

// A run whose time is up in its first look says who had not answered.
func TestTimeUpAtFirstLook(t *testing.T) {
	down := Discovery{Kind: KindV2, Token: "http://h/t", Error: "http://h: no complete answer in time"}
	hangs := []Hint{{Source: "fine"}, {Source: "-discovery-command", Error: "it did not end in time"}}
	for says, o := range map[string]Observation{
		"over: http://h: no complete answer in time; -discovery-command: it did not end in time": {Discovery: down, Hints: hangs, Failures: []Failure{{URL: "u", Error: "e"}}},
		"over: -discovery-command: it did not end in time":                                       {Hints: hangs},
		"over (http://h:2380: no complete answer)":                                               {Failures: []Failure{{URL: "http://h:2380", Error: "no complete answer"}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			plan, err := Run(ctx, host(1), &script{world: []Observation{o}, slow: time.Hour})
			if err != nil || plan.Exit != ExitNotNow || !strings.HasSuffix(plan.Text, says) || strings.Contains(plan.Hint, "dead-after") {
				t.Errorf("got %+v, %v, want %q", plan, err, says)
			}
		})
	}
}

// A standby host, which may wait for months, is no burden: a login costs an etcd
// a tenth of a second.
func TestPauses(t *testing.T) {
	for reason, want := range map[Reason]time.Duration{ClusterFull: standbyPause, AuthFailed: standbyPause, ClusterNoQuorum: longestPause} {
		synctest.Test(t, func(t *testing.T) {
			start, p := time.Now(), pacer{next: standbyPause}
			if !p.pause(t.Context(), wait(reason, "", "")) || time.Since(start) != want {
				t.Errorf("%s: pauses for %s, want %s", reason, time.Since(start), want)
			}
		})
	}
}
