package simulator

import "github.com/sttts/elastic-etcd/joiner"

// mayAdd is etcd's check of an add before it is proposed (server.go,
// mayAddMember).
func (c *Cluster) mayAdd(at *Member, learner bool) error {
	if !c.Strict {
		return nil
	}
	voters, named := c.started(0)
	if !learner && !(named == 1 && voters == 1) && named < quorum(voters+1) {
		return ErrFewStarted
	}
	if !c.Version.countsLinks() || c.enoughToAdd(voters, c.connected(at)) {
		return nil
	}
	return ErrUnhealthy
}

func (c *Cluster) enoughToAdd(voters, connected int) bool {
	if c.Version.addsWhileDown() {
		return voters == 1 || connected >= quorum(voters+1)
	}
	return connected == voters
}

// started counts the voters, and those with a name, without one of them
// (membership/cluster.go, IsReadyTo...).
func (c *Cluster) started(without joiner.ID) (voters, named int) {
	for i := range c.Members {
		if m := &c.Members[i]; !m.Learner && m.ID != without {
			voters++
			if m.Named {
				named++
			}
		}
	}
	return voters, named
}

// mayRemove is etcd's check of a removal (server.go, mayRemoveMember).
func (c *Cluster) mayRemove(at *Member, id joiner.ID) error {
	m := c.Member(id)
	if !c.Strict || m != nil && m.Learner {
		return nil
	}
	voters, named := c.started(id)
	if named < quorum(voters) {
		return ErrFewStarted
	}
	if !c.Version.countsLinks() || m == nil || !c.active(at, m) {
		return nil
	}
	if all, _ := c.started(0); c.connected(at)-1 < quorum(all-1) {
		return ErrUnhealthy
	}
	return nil
}

// mayPromote is the leader's check of a promotion (server.go,
// mayPromoteMember). It knows the log of members only, so a removed one is
// unknown to it.
func (c *Cluster) mayPromote(id joiner.ID) error {
	m := c.Member(id)
	switch {
	case m == nil:
		return ErrNotFound
	case m.Log != CaughtUp:
		return ErrNotReady
	}
	if voters, named := c.started(0); c.Strict && named+1 < quorum(voters+1) {
		return ErrFewStarted
	}
	return nil
}

// urlsFree tells whether no member but one has any of the URLs.
func (c *Cluster) urlsFree(urls []string, but joiner.ID) error {
	for i := range c.Members {
		if c.Members[i].ID != but && overlap(c.Members[i].PeerURLs, urls) {
			return ErrURLExists
		}
	}
	return nil
}

func overlap(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

func (c *Cluster) roomForLearner() error {
	learners := 0
	for i := range c.Members {
		if c.Members[i].Learner {
			learners++
		}
	}
	if learners >= c.maxLearners() {
		return ErrManyLearners
	}
	return nil
}

func (c *Cluster) maxLearners() int {
	if c.Version.atLeast(3, 6, 0) {
		return c.MaxLearners
	}
	return 1
}
