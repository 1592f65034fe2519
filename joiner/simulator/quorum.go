package simulator

import "github.com/sttts/elastic-etcd/joiner"

func quorum(voters int) int { return voters/2 + 1 }

// votes tells whether the member takes part in votes.
func (m *Member) votes() bool { return !m.Learner && m.State == Healthy }

// Voters counts the members that may vote, and those of them that do.
func (c *Cluster) Voters() (all, healthy int) {
	for i := range c.Members {
		if !c.Members[i].Learner {
			all++
		}
		if c.Members[i].votes() {
			healthy++
		}
	}
	return all, healthy
}

// HasQuorum tells whether the cluster commits anything.
func (c *Cluster) HasQuorum() bool {
	all, healthy := c.Voters()
	return all > 0 && healthy >= quorum(all)
}

// settle lets the cluster come to rest after an event: a leader that hears no
// quorum steps down (raft, CheckQuorum), a quorum without one elects one, and
// who runs publishes itself.
func (c *Cluster) settle() {
	if !c.HasQuorum() {
		c.depose()
		return
	}
	if m := c.Member(c.Leader); m == nil || !m.votes() {
		c.Elect(c.candidate())
	}
	c.payOff()
	for i := range c.Members {
		if m := &c.Members[i]; m.State == Healthy {
			m.Named, m.Published = true, true
		}
	}
}

// candidate is the first voter with the longest log: that of a leader with a
// proposal that the others do not know.
func (c *Cluster) candidate() (id joiner.ID) {
	if m := c.Member(c.deposed); c.owed != nil && m != nil && m.votes() {
		return m.ID
	}
	best := NoLog
	for i := range c.Members {
		if m := &c.Members[i]; m.votes() && (id == 0 || m.Log > best) {
			id, best = m.ID, m.Log
		}
	}
	return id
}

// Elect makes a healthy voter the leader, in a new term.
func (c *Cluster) Elect(id joiner.ID) {
	if m := c.Member(id); c.Leader != id && m != nil && m.votes() && c.HasQuorum() {
		c.Leader, c.LeaderSince = id, 0
		c.Term++
	}
}
