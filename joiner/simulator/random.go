package simulator

import (
	"math/rand/v2"

	"github.com/sttts/elastic-etcd/joiner"
)

// RandomStep is something that may happen to the cluster next, asked of its
// leader if a change: one that a test on real servers can do and see the end
// of. found is false where there is nothing left to see.
func (c *Cluster) RandomStep(rnd *rand.Rand) (s Step, found bool) {
	for range 1000 {
		if s := c.anyStep(rnd); c.sensible(s) {
			return s, true
		}
	}
	return Step{}, false
}

func (c *Cluster) anyStep(rnd *rand.Rand) Step {
	id := 1 + rnd.IntN(int(c.last))
	switch rnd.IntN(8) {
	case 0:
		return Step{Verb: "add", What: "voter"}
	case 1:
		return Step{Verb: "add", What: "learner"}
	case 2:
		return Step{Verb: "remove", N: id}
	case 3:
		return Step{Verb: "promote", N: id}
	case 4:
		return Step{Verb: "kill", N: id}
	case 5:
		return Step{Verb: "freeze", N: id}
	case 6:
		return Step{Verb: "thaw", N: id}
	default:
		return Step{Verb: "start", N: id}
	}
}

// sensible tells whether the step is possible and leaves somebody to ask: an
// etcd that starts shows itself only where there is a quorum.
func (c *Cluster) sensible(s Step) bool {
	if s.Changes() {
		return !s.unknown(c.Version)
	}
	m := c.Member(joiner.ID(s.N))
	if m == nil || !m.can(s.Verb) {
		return false
	}
	after := c.Clone()
	_ = after.Play(s)
	if s.Verb == "start" || s.Verb == "thaw" {
		return after.HasQuorum() && (m.State != Unstarted || !c.hangs())
	}
	return after.candidate() != 0
}

// can tells whether the event changes anything.
func (m *Member) can(verb string) bool {
	switch verb {
	case "kill":
		return m.State == Healthy || m.State == Frozen
	case "freeze":
		return m.State == Healthy
	case "thaw":
		return m.State == Frozen
	}
	return m.State == Unstarted || m.State == Dead
}
