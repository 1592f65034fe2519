package simulator

import "github.com/sttts/elastic-etcd/joiner"

// A leader that lost its quorum takes proposals until it steps down. The client
// is told that the time was up, and yet the change is made when the quorum is
// back under that leader. Raft keeps one such change, no more.

func (c *Cluster) depose() {
	if c.Leader != 0 {
		c.deposed, c.Leader, c.LeaderSince = c.Leader, 0, 0
	}
}

// proposes gives the leader that takes proposals, with a quorum or not.
func (c *Cluster) proposes() joiner.ID {
	if c.Leader != 0 {
		return c.Leader
	}
	if m := c.Member(c.deposed); m != nil && m.votes() && (!c.Version.stepsDown() || c.LeaderSince < electionTimeout) {
		return c.deposed
	}
	return 0
}

// propose makes a change now, or owes it.
func (c *Cluster) propose(p change) (joiner.ID, error) {
	if c.Leader != 0 {
		return c.apply(p)
	}
	if c.owed == nil && c.proposes() != 0 {
		c.owed = &p
	}
	return 0, ErrTimeout
}

// payOff makes the change that is owed, if the leader is the one that knows of
// it; any other's log replaces it.
func (c *Cluster) payOff() {
	p := c.owed
	c.owed = nil
	if p != nil && c.Leader == c.deposed {
		_, _ = c.apply(*p)
	}
}
