package simulator

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// What follows leads joiner.Decide through simulated clusters to the end of
// every run, and holds each step to the rules of the design with sums of its
// own: the quorum is the simulator's.

const (
	deadAfter = time.Minute
	oneLook   = 20 * time.Second // between two looks of a host that waits
	timeout   = 5 * time.Minute
)

// phase is how far a host is.
type phase byte

const (
	deciding  phase = iota // elastic-etcd runs
	starting               // it has ended well, etcd is still to start
	promoting              // etcd runs, and elastic-etcd promote beside it
	joined
	refused
)

// actor is a host and what it is at.
type actor struct {
	*Host
	phase   phase
	waited  time.Duration
	pending *joiner.Plan // decided, not done
	config  joiner.EtcdConfig
	since   time.Duration // since it was told what to tell etcd
	hung    bool          // its etcd, by our doing
	lastErr error
	settled joiner.Policy // for this run
	why     joiner.Reason // of the last plan
}

func (a *actor) clone() *actor {
	b := *a
	b.Host = a.Host.Clone()
	return &b
}

// pass lets time go by for everybody.
func (w *world) pass(d time.Duration) {
	var hosts []*Host
	for _, a := range w.actors {
		hosts = append(hosts, a.Host)
		a.since += d
	}
	w.c.Watch(d, hosts...)
}

// restart is a new run on the same host: what the last one had seen is gone.
func (a *actor) restart() {
	a.pending, a.waited, a.Watched = nil, 0, 0
	a.settled = a.Policy
	if a.phase == starting {
		a.phase = deciding
	}
}

// world is a cluster and the hosts that act on it.
type world struct {
	c      *Cluster
	actors []*actor
	size   int // voters there may be, 0 = any number
	most   int // members there may be
	voters int // at first
	trail  []line
}

// line is what happened; it is put into words only where somebody reads it.
type line struct {
	format string
	args   []any
}

func (l line) String() string { return fmt.Sprintf(l.format, l.args...) }

func (w *world) tell(format string, args ...any) { w.trail = append(w.trail, line{format, args}) }

func (w *world) story() string {
	var b strings.Builder
	for _, l := range w.trail {
		fmt.Fprintf(&b, "\n  %s", l)
	}
	return b.String()
}

func (w *world) clone() *world {
	v := &world{c: w.c.Clone(), size: w.size, most: w.most, voters: w.voters, trail: slices.Clone(w.trail)}
	for _, a := range w.actors {
		v.actors = append(v.actors, a.clone())
	}
	return v
}

// tally counts what a campaign has seen.
type tally struct {
	situations, states, steps int
	reasons                   map[joiner.Reason]int
}

func newTally() *tally { return &tally{reasons: map[joiner.Reason]int{}} }

// explorer reports what breaks a rule, with how it came to that.
type explorer struct {
	testing.TB
	*tally
	what string
	gone map[string]bool // worlds of this situation that were gone on with
}

func (e explorer) fail(w *world, format string, args ...any) {
	e.Helper()
	e.Fatalf("%s: %s\nafter:%s", e.what, fmt.Sprintf(format, args...), w.story())
}

// look has a host decide. It tells whether the host waits for time to pass.
func (e explorer) look(w *world, a *actor) (waits bool) {
	o := w.c.Observe(a.Host)
	o.Disk.Running = a.phase == promoting
	decide := joiner.Decide
	if a.phase == promoting {
		decide = joiner.DecidePromotion
	}
	a.settled = a.settled.Settle(o)
	plan := decide(a.settled, o)
	a.why = plan.Reason
	e.reasons[plan.Reason]++
	w.tell("%s: %s %s: %s", a.Policy.Name, plan.Step, plan.Reason, plan.Text)
	if plan.Text == "" || plan.Reason == "" {
		e.fail(w, "a plan without a reason")
	}
	switch {
	case plan.Step == joiner.StepEmit:
		a.phase, a.config, a.since = starting, *plan.Config, 0
	case plan.Step == joiner.StepRefuse:
		a.phase = refused
	case plan.Step == joiner.StepDone:
		a.phase = joined
	case plan.Step.Changes():
		a.pending = &plan
	default:
		return true
	}
	return false
}

// act does what was decided, and holds it to the rules.
func (e explorer) act(w *world, a *actor) {
	plan := *a.pending
	a.pending = nil
	e.steps++
	before := w.c.Clone()
	a.lastErr = w.c.Do(plan, a.Host)
	if plan.Step == joiner.StepRemove && w.c.Member(plan.Member.ID) == nil {
		e.mayGo(w, before, a, plan.Member.ID)
	}
	if a.lastErr != nil {
		w.tell("  failed: %v", a.lastErr)
	}
	e.check(w, before, plan)
}

// check holds what a step made of the cluster to the rules.
func (e explorer) check(w *world, before *Cluster, plan joiner.Plan) {
	if before.HasQuorum() && !w.c.HasQuorum() {
		e.fail(w, "%s %s: the quorum is lost", plan.Step, plan.Reason)
	}
	if len(w.c.Members) > max(w.most, len(before.Members)) {
		e.fail(w, "%s %s: %d members, and there may be %d", plan.Step, plan.Reason, len(w.c.Members), w.most)
	}
	voters, _ := w.c.Voters()
	were, _ := before.Voters()
	if w.size > 0 && voters > max(w.size, were) {
		e.fail(w, "%s %s: %d voters, and there may be %d", plan.Step, plan.Reason, voters, w.size)
	}
}

// mayGo wants a member that was removed to have been dead for the whole window,
// and to be none that another host was just starting.
func (e explorer) mayGo(w *world, before *Cluster, a *actor, victim joiner.ID) {
	m := before.Member(victim)
	switch {
	case m == nil: // somebody else removed it
	case m.State == Healthy:
		e.fail(w, "%s removes member %d, which is alive", a.Policy.Name, m.ID)
	case m.State == Parted && a.Host.reaches(m):
		e.fail(w, "%s removes member %d, which answers it", a.Policy.Name, m.ID)
	case m.Since < deadAfter:
		e.fail(w, "%s removes member %d, which has been down for %s", a.Policy.Name, m.ID, m.Since)
	case before.covered(m) && !sameURLs(m.PeerURLs, a.Policy.PeerURLs):
		e.fail(w, "%s removes member %d, which is being started", a.Policy.Name, m.ID)
	}
}

// start starts the etcd of a host.
func (e explorer) start(w *world, a *actor) {
	err := w.c.Join(a.Host, a.config)
	if errors.Is(err, ErrWrongList) && a.since < joiner.IntentTime/2 {
		e.fail(w, "somebody changed the members before %s could start", a.Policy.Name)
	}
	w.tell("%s: etcd starts: %v", a.Policy.Name, err)
	switch {
	case err != nil:
		a.lastErr = err
		a.restart()
	case a.Policy.Promotes || w.c.At(a.Policy.PeerURLs).Learner:
		a.phase = promoting
	default:
		a.phase = joined
	}
}

// states that members begin in. "unreached" is healthy, and out of reach of
// the hosts that look, and so is "hidden", which leads; "parted" is reached by
// them and by no member; "mute" leads, and tells nothing of the others' logs;
// "inflight" is being added by a host that has an intent.
var begins = []string{"mute", "hidden", "healthy", "unreached", "parted", "dead", "frozen", "cutoff", "lately", "unstarted", "inflight", "learner", "deadlearner"}

// sight is what keeps the hosts that look from seeing all.
type sight struct {
	unreached []joiner.ID
	noProof   string
}

// situation makes a cluster with members in these states, and what hosts see of
// it. ok is false where there can be no such cluster.
func situation(v Version, states []string) (c *Cluster, sees sight, ok bool) {
	c = New(v, len(states))
	for i, s := range states {
		m := &c.Members[i]
		switch s {
		case "unreached", "hidden":
			sees.unreached = append(sees.unreached, m.ID)
		case "mute":
			sees.noProof = "403"
		case "unstarted", "inflight":
			m.State, m.Named, m.Published, m.Log = Unstarted, false, false, NoLog
		case "learner", "deadlearner":
			m.Learner = true
		}
	}
	for i, s := range states {
		switch id := c.Members[i].ID; s {
		case "dead", "deadlearner":
			c.Kill(id)
		case "frozen":
			c.Freeze(id)
		case "cutoff":
			c.CutOff(id)
		case "parted":
			c.Part(id)
		}
	}
	c.Leader, c.LeaderSince = 0, Horizon
	c.settle()
	c.LeaderSince = Horizon
	c.Pass(Horizon)
	for i, s := range states {
		switch m := &c.Members[i]; s {
		case "lately":
			c.Kill(m.ID)
		case "inflight":
			c.Members[i].Since = 0
			c.intent = &joiner.Intent{Name: m.Name, PeerURLs: m.PeerURLs, Purpose: joiner.ToJoin, Lease: 1, Revision: 1, Left: intentTime}
			c.revision = 1
		}
	}
	return c, sees, c.HasQuorum() && feasible(v, states)
}

func feasible(v Version, states []string) bool {
	count := map[string]int{}
	for _, s := range states {
		count[s]++
	}
	learners := count["learner"] + count["deadlearner"]
	return count["hidden"]+count["mute"] <= 1 && count["inflight"] <= 1 && learners <= 1 && (learners == 0 || v.learners()) && learners < len(states)
}

// multisets calls f with every way to give n members one of some states.
func multisets(begins []string, n int, f func(states []string)) {
	var fill func(states []string, from int)
	fill = func(states []string, from int) {
		if len(states) == n {
			f(slices.Clone(states))
			return
		}
		for i := from; i < len(begins); i++ {
			fill(append(states, begins[i]), i)
		}
	}
	fill(nil, 0)
}

// newActor is host n. That of a member has lost its disk.
func newActor(w *world, n int, policy joiner.Policy, sees sight) *actor {
	policy.DeadAfter = joiner.Duration(deadAfter)
	policy.DataDir = "data"
	h := w.c.NewHost(n, policy)
	h.Unreached, h.NoProof = sees.unreached, sees.noProof
	return &actor{Host: h, settled: h.Policy}
}

// largest is up to how many members a campaign goes: make enumerate goes
// further.
func largest(t *testing.T, usual int) int {
	if underRace {
		return 1
	}
	s := os.Getenv("ELASTIC_ETCD_ENUMERATE")
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("ELASTIC_ETCD_ENUMERATE: %v", err)
	}
	return n
}

// versions have different rules for an add while a voter is down, and for a
// peer that hangs.
var versions = []Version{{3, 4, 34}, {3, 6, 16}, {2, 3, 8}}

func (t *tally) log(tb testing.TB) {
	var names []string
	for r, n := range t.reasons {
		names = append(names, fmt.Sprintf("%s %d", r, n))
	}
	slices.Sort(names)
	tb.Logf("%d situations, %d states or clusters, %d steps; reasons: %s", t.situations, t.states, t.steps, strings.Join(names, ", "))
}
