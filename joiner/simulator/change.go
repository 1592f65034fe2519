package simulator

import (
	"slices"

	"github.com/sttts/elastic-etcd/joiner"
)

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
	if err == nil {
		err = c.commits()
	}
	if err == nil {
		err = c.urlsFree(peerURLs, 0)
	}
	if err == nil && learner {
		err = c.roomForLearner()
	}
	if err != nil {
		return 0, err
	}
	m := c.newMember("", peerURLs)
	m.Learner = learner
	c.Members = append(c.Members, m)
	c.settle()
	return m.ID, nil
}

// Remove removes a member, and no other will ever have its ID.
func (c *Cluster) Remove(at, id joiner.ID) error {
	server, err := c.server(at)
	if err == nil {
		err = c.mayRemove(server, id)
	}
	if err == nil {
		err = c.commits()
	}
	if err == nil {
		err = c.mayApply(id)
	}
	if err != nil {
		return err
	}
	c.Members = slices.DeleteFunc(c.Members, func(m Member) bool { return m.ID == id })
	c.settle()
	return nil
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
	case c.Leader == 0:
		return ErrTimeout
	}
	if err := c.mayPromote(id); err == ErrFewStarted && server.ID != c.Leader {
		return ErrTimeout
	} else if err != nil {
		return err
	}
	m := c.Member(id)
	if !m.Learner {
		return ErrNotLearner
	}
	m.Learner = false
	c.settle()
	return nil
}

// Update gives a member other peer URLs. Etcd checks nothing but that they
// are free.
func (c *Cluster) Update(at, id joiner.ID, peerURLs ...string) error {
	_, err := c.server(at)
	if err == nil {
		err = c.commits()
	}
	if err == nil {
		err = c.mayApply(id)
	}
	if err == nil {
		err = c.urlsFree(peerURLs, id)
	}
	if err == nil {
		c.Member(id).PeerURLs = peerURLs
	}
	return err
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
