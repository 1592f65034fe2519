package joiner

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

var memberStates = []string{"healthy", "unreached", "stalled", "silent", "dead", "unclear", "added", "abandoned", "unstarted"}

// multisets calls f with every way to give n members a state; members differ
// by nothing but their state, so their order does not matter.
func multisets(n int, f func(states []string)) {
	var fill func(states []string, from int)
	fill = func(states []string, from int) {
		if len(states) == n {
			f(states)
			return
		}
		for i := from; i < len(memberStates); i++ {
			fill(append(states, memberStates[i]), i)
		}
	}
	fill(nil, 0)
}

// Every cluster of up to five members (make enumerate: seven), in every mix of
// states, with and without the leader's word, seen by a new host and by every
// former self, under every strategy and many sizes: whatever is foreseen keeps
// the rules.
func TestEveryCluster(t *testing.T) {
	seen, reasons := 0, map[Reason]int{}
	for n := 1; n <= largestCluster(t); n++ {
		multisets(n, func(states []string) {
			for _, proof := range []bool{true, false} {
				c := Cluster{ID: clusterID, Version: Version{3, 6}, Leader: 1}
				if !proof {
					noProof(&c)
				}
				for i, s := range states {
					c.Members = append(c.Members, member(i+1, s))
				}
				for self := 1; self <= n+1; self++ {
					if self > 1 && self <= n && states[self-1] == states[self-2] {
						continue // the same former self under another name
					}
					for _, strat := range Strategies() {
						for _, size := range []int{SizeOfDiscovery, 0, 5} {
							p := host(self, strategy(strat), func(p *Policy) { p.Size = size })
							checkForeseen(t, p, states, observed(c), reasons)
							seen++
						}
					}
				}
			}
		})
	}
	t.Logf("%d situations; reasons hit: %v", seen, reasons)
	if seen < 100000 {
		t.Errorf("only %d situations were looked at", seen)
	}
}

func largestCluster(t *testing.T) int {
	s := os.Getenv("ELASTIC_ETCD_ENUMERATE")
	if s == "" {
		return 5
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("ELASTIC_ETCD_ENUMERATE: %v", err)
	}
	return n
}

// checkForeseen holds a foreseen sequence to the rules, with sums of its own.
func checkForeseen(t *testing.T, p Policy, states []string, o Observation, reasons map[Reason]int) {
	t.Helper()
	plans := Foresee(p, o)
	fail := func(format string, args ...any) {
		t.Fatalf("%s as %s with %s, size %d, proof %q: %s", states, p.Name, p.Strategy, p.Size, o.Clusters[0].NoProof, fmt.Sprintf(format, args...))
	}
	voters, healthy := len(states), 0
	for _, s := range states {
		if (o.Clusters[0].NoProof == "" && (s == "healthy" || s == "unreached")) || (o.Clusters[0].NoProof != "" && s == "healthy") {
			healthy++
		}
	}
	for i, plan := range plans {
		reasons[plan.Reason]++
		switch plan.Step {
		case StepRemove:
			voters--
			if o.Clusters[0].NoProof != "" {
				fail("removes without the leader's word")
			}
			if h := plan.Member.Health; h.Silent < window || h.Stalled < window || h.Reached != "" || h.Following {
				fail("removes %s, which is not dead: %+v", plan.Member.Name, h)
			}
			if p.Strategy == Add || p.Strategy == Prepare {
				fail("strategy %s removes", p.Strategy)
			}
		case StepAdd:
			if !plan.Learner {
				voters++
			} else if voters != 1 {
				fail("adds a learner that nobody promotes to %d voters", voters)
			}
			if p.Size > 0 && voters > p.Size {
				fail("grows to %d voters", voters)
			}
			if p.Strategy == Prepare {
				fail("prepare adds")
			}
		}
		if plan.Step.Changes() && plan.Step != StepClaim && plan.Step != StepForget && 2*healthy <= voters {
			fail("leaves %d healthy of %d voters after %s", healthy, voters, plan.Step)
		}
		if last := i == len(plans)-1; last == plan.Step.Changes() {
			fail("step %d of %d is %s", i+1, len(plans), plan.Step)
		}
	}
	// What is begun is finished: a removal to make room is followed by the add.
	if len(plans) > 1 && p.Strategy == Replace && plans[len(plans)-1].Step != StepEmit {
		fail("begins with %s (%s) and ends with %s (%s)", plans[0].Step, plans[0].Reason, plans[len(plans)-1].Step, plans[len(plans)-1].Reason)
	}
}
