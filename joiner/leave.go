package joiner

import (
	"cmp"
	"fmt"
	"slices"
)

// DecideLeave says what to do next for a host that is to leave its cluster for
// good: pure as Decide is. Its etcd ends by itself when its member is removed.
func DecideLeave(p Policy, o Observation) Plan {
	c, found := o.leaving()
	if !found {
		return WhyNot(p, o)
	}
	m, listed := o.self(p, c)
	given := p
	if listed {
		p = p.as(m)
	}
	switch {
	case !listed:
		return left(p, c)
	case !o.isSelf(given, m):
		return refuse(LeaveUnclear, fmt.Sprintf("member %s has the peer URLs %q, and not all that this host is told to be says the same (data dir %q, name %q, peer URLs %q)", describe(m), m.PeerURLs, p.DataDir, p.Name, p.PeerURLs),
			"give the data dir of its etcd (-data-dir), and its own -name and -initial-advertise-peer-urls")
	case !m.Learner && c.voters() == 1:
		return refuse(LeaveLast, fmt.Sprintf("member %s is the last voter of cluster %s", describe(m), c.ID),
			"to give up the cluster, stop etcd and keep or archive its data dir")
	case !c.safeToRemove(m):
		return c.atRisk("the removal of this host", "bring other members back first")
	}
	if plan, blocked := (joining{p, o, c}).admitted(); blocked {
		return plan
	}
	if plan, blocked := c.turn(p, Intent{Purpose: ToLeave}); blocked {
		return plan
	}
	if next, found := c.successor(m); c.Leader == m.ID && found && c.movesLeader() {
		return Plan{Step: StepMoveLeader, Reason: LeaveLeader, Cluster: c.ID, Member: &next,
			Text: fmt.Sprintf("this host leads cluster %s: member %s takes over", c.ID, describe(next))}
	}
	return Plan{Step: StepRemove, Reason: LeaveMember, Cluster: c.ID, Seen: c.ids(), Intent: c.under(p), Member: &m,
		Text: fmt.Sprintf("this host, member %s, leaves cluster %s", describe(m), c.ID)}
}

// leaving is the cluster to leave: that of the data, else the one that our
// sources lead to.
func (o Observation) leaving() (Cluster, bool) {
	if o.Disk.State == DiskData {
		return o.cluster(o.Disk.ClusterID)
	}
	c, several := o.ours()
	if c == nil || several {
		return Cluster{}, false
	}
	return *c, true
}

// self is this host's member: by its data, else by its peer URLs.
func (o Observation) self(p Policy, c Cluster) (Member, bool) {
	if o.Disk.State == DiskData {
		return c.member(o.Disk.MemberID)
	}
	for _, m := range c.Members {
		if sameURLs(m.PeerURLs, p.PeerURLs) {
			return m, true
		}
	}
	return Member{}, false
}

// isSelf tells whether a member is this host's for certain: by its data, unless
// that is a copy and the member runs elsewhere, or by name and peer URLs
// together. Many members have etcd's default URL.
func (o Observation) isSelf(p Policy, m Member) bool {
	elsewhere := p.Announces && !sameURLs(m.PeerURLs, p.PeerURLs) && !o.Disk.Running
	if o.Disk.State == DiskData {
		return !elsewhere
	}
	return p.Announces && (m.Name == p.Name || !m.Started())
}

func left(p Policy, c Cluster) Plan {
	// Whoever scales in on purpose wants nobody to fill that up.
	if b := c.Begun; b != nil && c.under(p) != nil {
		return c.forgetting(b)
	}
	if i := c.under(p); i != nil {
		return c.release(*i)
	}
	return Plan{Step: StepDone, Reason: LeaveDone, Exit: ExitDone,
		Text: fmt.Sprintf("this host is not a member of cluster %s; disable its etcd, or the next start joins anew", c.ID)}
}

// firstToMove is the first etcd that can pass on the leadership.
var firstToMove = Version{3, 3}

// movesLeader goes by the servers where the cluster has not agreed on a version.
func (c Cluster) movesLeader() bool {
	if c.decided() {
		return c.API != "v2" && c.Version.atLeast(firstToMove)
	}
	return c.everyServer(func(v Version) bool { return v.atLeast(firstToMove) })
}

// successor is the healthy voter that is best to lead: the one that holds most
// of the log.
func (c Cluster) successor(leaver Member) (Member, bool) {
	able := slices.DeleteFunc(slices.Clone(c.Members), func(m Member) bool {
		return m.ID == leaver.ID || m.Learner || !m.Started() || !c.alive(m)
	})
	if len(able) == 0 {
		return Member{}, false
	}
	return slices.MaxFunc(able, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Health.Match, b.Health.Match), cmp.Compare(b.ID, a.ID))
	}), true
}
