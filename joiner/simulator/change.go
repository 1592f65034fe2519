package simulator

import "github.com/sttts/elastic-etcd/joiner"

// The changes of the membership, as the member at is asked for them; 0 is the
// leader, or without one the first that runs. A change without a quorum times
// out and leaves nothing behind.

// AddVoter adds a voter, not started yet.
func (c *Cluster) AddVoter(at joiner.ID, peerURLs ...string) (joiner.ID, error) {
	return c.add(at, peerURLs, false)
}

// AddLearner adds a learner. Etcd before 3.4 drops that word and adds a voter.
func (c *Cluster) AddLearner(at joiner.ID, peerURLs ...string) (joiner.ID, error) {
	return c.add(at, peerURLs, c.Version.learners())
}

func (c *Cluster) add(id joiner.ID, peerURLs []string, learner bool) (joiner.ID, error) {
	at, err := c.server(id)
	if err == nil {
		err = c.mayAdd(at, learner)
	}
	if err != nil {
		return 0, err
	}
	return c.propose(change{what: adds, peerURLs: peerURLs, learner: learner})
}

// Remove removes a member, and no other will ever have its ID.
func (c *Cluster) Remove(at, id joiner.ID) error {
	server, err := c.server(at)
	if err == nil {
		err = c.mayRemove(server, id)
	}
	if err == nil {
		_, err = c.propose(change{what: removes, id: id})
	}
	return err
}

// Promote makes a learner a voter. The leader decides; a follower that asks it
// tries again until the time is up where it says anything but that the member
// is unknown, no learner or behind (server.go, PromoteMember).
func (c *Cluster) Promote(at, id joiner.ID) error {
	server, err := c.server(at)
	switch {
	case err != nil:
		return err
	case !c.Version.learners():
		return ErrUnknownMethod
	case c.proposes() == 0:
		return ErrTimeout
	}
	err = c.mayPromote(id)
	if err == nil {
		_, err = c.propose(change{what: promotes, id: id})
	}
	if err == ErrFewStarted && server.ID != c.proposes() {
		return ErrTimeout
	}
	return err
}

// Update gives a member other peer URLs. Etcd checks nothing but that they
// are free.
func (c *Cluster) Update(at, id joiner.ID, peerURLs ...string) error {
	_, err := c.server(at)
	if err == nil {
		_, err = c.propose(change{what: updates, id: id, peerURLs: peerURLs})
	}
	return err
}

// MoveLeader has the leader pass the leadership on (server.go, MoveLeader;
// since 3.3). One that does not vote cannot take it, and the time is up.
func (c *Cluster) MoveLeader(to joiner.ID) error {
	switch m := c.Member(to); {
	case !c.Version.atLeast(3, 3, 0):
		return ErrUnknownMethod
	case m == nil || m.Learner:
		return ErrBadLeader
	case c.Leader == 0 || !m.votes():
		return ErrTimeout
	}
	c.Elect(to)
	return nil
}

// server is the member that is asked.
func (c *Cluster) server(id joiner.ID) (*Member, error) {
	if id == 0 {
		id = c.anyServer()
	}
	switch m := c.Member(id); {
	case m == nil || m.State != Healthy:
		return nil, ErrUnreachable
	case m.Learner:
		return nil, ErrNotSupported
	default:
		return m, nil
	}
}

func (c *Cluster) anyServer() joiner.ID {
	if c.Leader != 0 {
		return c.Leader
	}
	return c.candidate()
}

func (c *Cluster) commits() error {
	if !c.HasQuorum() {
		return ErrTimeout
	}
	return nil
}
