package joiner

import "fmt"

// quorum is the majority of a number of voters.
func quorum(voters int) int { return voters/2 + 1 }

// keepsQuorum is the rule that stands before every change of the membership:
// the voters that are healthy now must be a quorum of the voters after the
// change, so that the cluster lives on even if the newcomer never comes up.
// etcd's own check does not tell: since 3.5 it takes a frozen member for a
// connected one.
func keepsQuorum(healthy, votersAfter int) bool {
	return votersAfter > 0 && healthy >= quorum(votersAfter)
}

// voters counts the voting members, started or not.
func (c Cluster) voters() int {
	n := 0
	for _, m := range c.Members {
		if !m.Learner {
			n++
		}
	}
	return n
}

// healthy counts the voters that take part now: by the leader's word where
// that is known, else those that this host saw speak for a quorum.
func (c Cluster) healthy() int {
	n := 0
	for _, m := range c.Members {
		if !m.Learner && m.Started() && c.alive(m) {
			n++
		}
	}
	return n
}

func (c Cluster) alive(m Member) bool {
	if c.NoProof == "" {
		return m.Health.Following
	}
	return m.Health.Proven
}

// atRisk is the plan for a change that the quorum rule forbids.
func (c Cluster) atRisk(change, hint string) Plan {
	text := fmt.Sprintf("with %d of %d voters healthy, %s would put the quorum of cluster %s at risk", c.healthy(), c.voters(), change, c.ID)
	if c.NoProof != "" {
		text += " (healthy are those that answered for a quorum themselves, since the leader's progress is not known: " + c.NoProof + ")"
		hint = "let this host reach /debug/vars on the leader's client URL (or name its --listen-client-http-urls in -endpoints), or " + hint
	}
	return wait(QuorumAtRisk, text, hint)
}

// safeToAdd tells whether one more voter leaves the quorum safe.
func (c Cluster) safeToAdd() bool { return keepsQuorum(c.healthy(), c.voters()+1) }

// safeToRemove tells whether taking out m leaves the quorum safe.
func (c Cluster) safeToRemove(m Member) bool {
	if m.Learner {
		return true
	}
	healthy := c.healthy()
	if m.Started() && c.alive(m) {
		healthy--
	}
	return keepsQuorum(healthy, c.voters()-1)
}
