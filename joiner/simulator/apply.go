package simulator

import (
	"slices"

	"github.com/sttts/elastic-etcd/joiner"
)

// change is a change of the membership in the log.
type change struct {
	what     byte
	id       joiner.ID
	peerURLs []string
	learner  bool
}

const (
	adds     = 'a'
	removes  = 'r'
	promotes = 'p'
	updates  = 'u'
)

// apply makes a change that is committed, if it is still possible.
func (c *Cluster) apply(p change) (added joiner.ID, err error) {
	if err := c.mayApply(p); err != nil {
		return 0, err
	}
	switch p.what {
	case adds:
		m := c.newMember("", p.peerURLs)
		m.Learner = p.learner
		c.Members = append(c.Members, m)
		added = m.ID
	case removes:
		c.Members = slices.DeleteFunc(c.Members, func(m Member) bool { return m.ID == p.id })
	case promotes:
		c.Member(p.id).Learner = false
	case updates:
		c.Member(p.id).PeerURLs = p.peerURLs
	}
	c.settle()
	return added, nil
}

// mayApply is etcd's check when a change is applied (membership/cluster.go,
// ValidateConfigurationChange).
func (c *Cluster) mayApply(p change) error {
	m := c.Member(p.id)
	switch {
	case p.what == adds:
		return c.mayApplyAdd(p)
	case m == nil && p.id != 0 && p.id <= c.last && c.Version.tellsRemoved():
		return ErrRemoved
	case m == nil:
		return ErrNotFound
	case p.what == promotes && !m.Learner:
		return ErrNotLearner
	case p.what == updates:
		return c.urlsFree(p.peerURLs, p.id)
	}
	return nil
}

func (c *Cluster) mayApplyAdd(p change) error {
	if err := c.urlsFree(p.peerURLs, 0); err != nil || !p.learner {
		return err
	}
	return c.roomForLearner()
}
