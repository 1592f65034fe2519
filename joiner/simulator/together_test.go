package simulator

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// Two and three hosts at once, in every order of their steps: one looks and
// decides, the others act before it does, time passes, a run dies. Whatever
// they do, the rules hold.
func TestTogether(t *testing.T) {
	some := begins
	if os.Getenv("ELASTIC_ETCD_ENUMERATE") == "" { // what is much like another state takes time
		some = slices.DeleteFunc(slices.Clone(begins), func(s string) bool { return s == "hidden" || s == "mute" || s == "cutoff" })
	}
	most := largest(t, 3)
	for _, v := range versions[:2] {
		for n := 1; n <= most; n++ {
			t.Run(fmt.Sprintf("%s/%d members", v, n), func(t *testing.T) {
				t.Parallel()
				e := explorer{TB: t, tally: newTally()}
				multisets(some, n, func(states []string) {
					if c, sees, ok := situation(v, states); ok {
						e.everyTeam(c, states, sees)
					}
				})
				e.log(t)
				if !underRace && n == most && e.tally.states < 10000 {
					t.Errorf("only %d states", e.tally.states)
				}
			})
		}
	}
}

// teams are the hosts that come at once: 0 is a new one, 1 the first member
// that has lost its disk.
var teams = []struct {
	hosts    []int
	strategy joiner.Strategy
	promotes bool
	unsized  bool // nobody gives a size, too
}{
	{[]int{8, 9}, joiner.Replace, false, false},
	{[]int{8, 9}, joiner.Replace, true, true},
	{[]int{8, 9}, joiner.Prune, true, false},
	{[]int{1, 9}, joiner.Replace, true, false},
	{[]int{7, 8, 9}, joiner.Add, false, false},
}

func (e explorer) everyTeam(c *Cluster, states []string, sees sight) {
	for _, team := range teams {
		sizes := []int{len(states), len(states) + 2}
		if team.unsized {
			sizes = append(sizes, joiner.SizeOfDiscovery)
		}
		for _, size := range sizes {
			e.what = fmt.Sprintf("etcd %s, %s, hosts %d, %s, size %d, promotes %v", c.Version, states, team.hosts, team.strategy, size, team.promotes)
			e.situations++
			w := &world{c: c.Clone(), size: size, most: max(size, len(states)) + 1}
			w.voters, _ = c.Voters()
			if size == joiner.SizeOfDiscovery {
				w.size = len(states)
			}
			for _, n := range team.hosts {
				w.actors = append(w.actors, newActor(w, n, joiner.Policy{Strategy: team.strategy, Promotes: team.promotes, Size: size}, sees))
			}
			e.explore(w)
		}
	}
}

// key is equal for worlds that go on alike.
func (w *world) key() string {
	var b strings.Builder
	b.WriteString(w.c.Key())
	for _, a := range w.actors {
		fmt.Fprintf(&b, "#%d%s", a.phase, a.Host.Key(w.c))
		if a.pending != nil {
			b.WriteString(w.c.PlanKey(*a.pending))
		}
		if a.phase == starting {
			fmt.Fprint(&b, w.c.isList(a.config.InitialCluster), min(a.since, Horizon))
		}
	}
	return b.String()
}

// explore goes through every order of what can happen.
func (e explorer) explore(w *world) {
	seen := map[string]bool{}
	todo := []*world{w}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if key := at.key(); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		e.tally.states++
		todo = append(todo, e.next(at)...)
	}
}

// next are the worlds one event on.
func (e explorer) next(w *world) (next []*world) {
	for i := range w.actors {
		next = append(next, e.moves(w, i)...)
	}
	// Time counts only for who waits: no run holds a plan for so long.
	if !w.busy() {
		later := w.clone()
		later.tell("a while passes")
		later.pass(longWhile)
		next = append(next, later)
	}
	return next
}

// longWhile is enough for a verdict, and half of what an intent lasts.
const longWhile = 61 * time.Second

func (w *world) busy() bool {
	for _, a := range w.actors {
		if a.pending != nil {
			return true
		}
	}
	return false
}

// moves are what one host can do, or what can happen to it.
func (e explorer) moves(w *world, i int) (next []*world) {
	after := func(f func(*world, *actor)) {
		v := w.clone()
		f(v, v.actors[i])
		next = append(next, v)
	}
	switch a := w.actors[i]; {
	case a.phase == joined || a.phase == refused:
		return nil
	case a.phase == starting:
		after(func(w *world, a *actor) { e.start(w, a) })
		after(e.die)
	case a.pending != nil:
		after(func(w *world, a *actor) { e.act(w, a) })
		after(e.die)
	default:
		if a.phase == promoting && !a.hung && !w.busy() { // nobody can know what happens between a look and a step
			after(e.hang)
			after(e.part)
		}
		after(func(w *world, a *actor) {
			e.look(w, a)
			if a.phase == joined || a.phase == refused {
				e.end(w, a)
			}
		})
	}
	return next
}

// die ends a host for good, with its etcd if that runs.
func (e explorer) die(w *world, a *actor) {
	w.tell("%s dies", a.Policy.Name)
	a.phase, a.pending = refused, nil
}

// hang stops the etcd of a host that is being promoted.
func (e explorer) hang(w *world, a *actor) {
	w.tell("the etcd of %s hangs", a.Policy.Name)
	a.hung = true
	w.c.Freeze(w.c.At(a.Policy.PeerURLs).ID)
}

// part cuts off the etcd of a host that is being promoted from the others.
func (e explorer) part(w *world, a *actor) {
	w.tell("the etcd of %s is cut off from the others", a.Policy.Name)
	a.hung = true
	w.c.Part(w.c.At(a.Policy.PeerURLs).ID)
}
