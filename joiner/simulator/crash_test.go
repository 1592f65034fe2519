package simulator

import (
	"fmt"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

// Every cluster, seen by a new host and by every former self, under every
// strategy and size, by voters and by learners. The run of the host is killed
// at every boundary between two steps, and then goes on: once on the same host,
// once on another one that comes when the intent of the first has run out.
func TestCrashAtEveryStep(t *testing.T) {
	most := largest(t, 4)
	for _, v := range versions {
		for n := 1; n <= most; n++ {
			t.Run(fmt.Sprintf("%s/%d members", v, n), func(t *testing.T) {
				t.Parallel()
				e := explorer{TB: t, tally: newTally()}
				e.everyCluster(v, n)
				e.log(t)
				if !underRace && n == most && e.situations < 10000 {
					t.Errorf("only %d situations", e.situations)
				}
			})
		}
	}
}

func (e explorer) everyCluster(v Version, n int) {
	multisets(begins, n, func(states []string) {
		c, sees, ok := situation(v, states)
		if !ok {
			return
		}
		e.states++
		for _, s := range joiner.Strategies() {
			for _, size := range []int{n, n + 1, 0, joiner.SizeOfDiscovery} {
				for _, promotes := range []bool{false, true} {
					e.everySelf(c, states, sees, joiner.Policy{Strategy: s, Promotes: promotes, Size: size})
				}
			}
		}
	})
}

func (e explorer) everySelf(c *Cluster, states []string, sees sight, p joiner.Policy) {
	n, size := len(states), p.Size
	if size == joiner.SizeOfDiscovery {
		size = n // as many as there are
	}
	for self := 1; self <= n+1; self++ {
		if self > 1 && self <= n && states[self-1] == states[self-2] {
			continue // the same former self under another name
		}
		e.what = fmt.Sprintf("etcd %s, %s, host %d, %s, size %d, promotes %v", c.Version, states, self, p.Strategy, p.Size, p.Promotes)
		e.situations++
		w := &world{c: c.Clone(), size: size, most: max(size, n)}
		w.voters, _ = c.Voters()
		if size == 0 {
			w.most = n + 2
		} else if p.Promotes {
			w.most++ // beside a dead member
		}
		w.actors = []*actor{newActor(w, self, p, sees)}
		e.gone = map[string]bool{}
		e.run(w, func(at *world) { e.crash(at, p, sees) })
	}
}

// crash kills the first host's run here.
func (e explorer) crash(w *world, p joiner.Policy, sees sight) {
	again := w.clone()
	again.tell("killed; again on the same host")
	again.actors[0].restart()
	e.goOn(again)

	other := w.clone()
	other.tell("killed; another host")
	other.c.Watch(Horizon)
	stranger := newActor(other, 9, p, sees)
	other.actors = []*actor{stranger}
	e.goOn(other)
}

// goOn runs a world to its end, once.
func (e explorer) goOn(w *world) {
	if key := w.key(); !e.gone[key] {
		e.gone[key] = true
		e.run(w, nil)
	}
}

// run leads the first host to its end. At every boundary it calls crashed, but
// only once where the host waits for the same all over again.
func (e explorer) run(w *world, crashed func(*world)) {
	a := w.actors[0]
	const most = 200 // looks: a run that goes on for longer goes round in circles
	var waits joiner.Reason
	for range most {
		waited := waits
		waits = ""
		switch {
		case a.phase == joined || a.phase == refused:
			e.end(w, a)
			return
		case a.phase == starting:
			e.start(w, a)
		case a.pending != nil:
			e.act(w, a)
			if a.lastErr != nil { // etcd refuses for now: it is tried again
				a.waited += oneLook
				w.pass(oneLook)
			}
		case e.look(w, a):
			waits = a.why
			a.waited += oneLook
			w.pass(oneLook)
		}
		if crashed != nil && (waits == "" || waits != waited) {
			crashed(w)
		}
		if a.waited > timeout {
			return // 75: try again
		}
	}
	e.fail(w, "no end")
}

// end holds a run that ended to what it was for.
func (e explorer) end(w *world, a *actor) {
	m := w.c.At(a.Policy.PeerURLs)
	switch {
	case a.phase == refused && a.why == joiner.ClusterFull && a.Policy.Strategy == joiner.Replace && len(w.c.Members) < w.voters:
		e.fail(w, "%s finds %d members full, and there were %d voters", a.Policy.Name, len(w.c.Members), w.voters)
	case a.phase == refused:
	case m == nil || m.State != Healthy && !a.hung:
		e.fail(w, "%s ended well, and does not run", a.Policy.Name)
	case m.Learner:
		e.fail(w, "%s ended well as a learner", a.Policy.Name)
	case w.c.intent != nil && a.Policy.Promotes && sameURLs(w.c.intent.PeerURLs, a.Policy.PeerURLs):
		e.fail(w, "%s is done, and its intent is still there", a.Policy.Name)
	}
}

// TestCrashAmongFive: what broke a rule once, and four members do not show.
func TestCrashAmongFive(t *testing.T) {
	for _, states := range [][]string{
		{"healthy", "healthy", "healthy", "dead", "frozen"},
		{"healthy", "healthy", "healthy", "frozen", "unstarted"},
	} {
		e := explorer{TB: t, tally: newTally()}
		c, sees, ok := situation(versions[0], states)
		if !ok {
			t.Fatalf("%s cannot be", states)
		}
		e.everySelf(c, states, sees, joiner.Policy{Strategy: joiner.Replace, Size: joiner.SizeOfDiscovery})
	}
}
