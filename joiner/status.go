package joiner

import "slices"

// Status is what a cluster is at one moment, in numbers to act on.
type Status struct {
	Cluster Cluster
	// Quorum tells whether a quorum vouches for it. Without one it is what a
	// single member, Cluster.From, says of it.
	Quorum bool
	// Self is this host's member, zero where it has none.
	Self ID
	// Data is what this host's data dir has to do with it.
	Data OwnData
	// Voters are those listed, Healthy those of them that take part now;
	// without a quorum, those that answer.
	Voters, Healthy int
	// Tolerance is how many healthy voters may still fail before the quorum
	// is lost; less than zero where it is lost, or would be by the next vote.
	Tolerance int
	// Newest is the newest log entry that a member is known to hold.
	Newest uint64
}

// OwnData says what a data dir has to do with a cluster.
type OwnData string

// The states.
const (
	OwnNone    OwnData = "none"    // there is none
	OwnMember  OwnData = "member"  // of a member
	OwnRemoved OwnData = "removed" // of a member that was removed
	OwnUnknown OwnData = "unknown" // of this cluster; who is a member only a quorum could say
	OwnForeign OwnData = "foreign" // of another cluster
	OwnDamaged OwnData = "damaged" // it cannot be read
)

// StatusOf sums up the cluster of this host: that of its data, else the one
// that its sources lead to. ok is false where nobody tells of one.
func StatusOf(p Policy, o Observation) (s Status, ok bool) {
	if s.Cluster, s.Quorum, ok = o.shown(); !ok {
		return Status{}, false
	}
	c := s.Cluster
	s.Data = o.dataIn(c, s.Quorum)
	s.Self = o.selfIn(p, c, s.Data)
	s.Voters, s.Healthy, s.Newest = c.voters(), s.taking(), c.newest()
	s.Tolerance = s.Healthy - quorum(s.Voters)
	if !s.Quorum {
		s.Tolerance = min(s.Tolerance, -1)
	}
	return s, true
}

// taking counts the voters that take part.
func (s Status) taking() int {
	n := 0
	for _, m := range s.Cluster.Members {
		if !m.Learner && s.Takes(m) {
			n++
		}
	}
	return n
}

// shown is the cluster to show, the one of the data first.
func (o Observation) shown() (c Cluster, proven, ok bool) {
	if o.Disk.State == DiskData {
		if c, ok = o.cluster(o.Disk.ClusterID); ok {
			return c, true, true
		}
		if c, ok = o.unproven(o.Disk.ClusterID); ok {
			return c, false, true
		}
	}
	if own, several := o.ours(); own != nil {
		return *own, true, !several
	}
	c, ok = o.unproven(o.told())
	return c, false, ok
}

// told is the cluster that all who answer are of, zero where there are several.
func (o Observation) told() ID {
	var id ID
	for _, v := range o.Views {
		if id != 0 && v.ClusterID != id {
			return 0
		}
		id = v.ClusterID
	}
	return id
}

// unproven is a cluster as the first of its members tells it that answers.
func (o Observation) unproven(id ID) (c Cluster, ok bool) {
	i := slices.IndexFunc(o.Views, func(v View) bool { return v.ClusterID == id })
	if i < 0 {
		return Cluster{}, false
	}
	v := o.Views[i]
	return Cluster{ID: id, From: v.From, NoProof: "there is no quorum", Members: v.Members}, true
}

func (o Observation) dataIn(c Cluster, proven bool) OwnData {
	_, listed := c.member(o.Disk.MemberID)
	switch {
	case o.Disk.State == DiskDamaged:
		return OwnDamaged
	case o.Disk.State != DiskData:
		return OwnNone
	case o.Disk.ClusterID != c.ID:
		return OwnForeign
	case listed:
		return OwnMember
	case !proven:
		return OwnUnknown
	}
	return OwnRemoved
}

// selfIn is this host's member: by its data, else by peer URLs that somebody
// gave. Many members have etcd's default.
func (o Observation) selfIn(p Policy, c Cluster, data OwnData) ID {
	if data == OwnMember {
		return o.Disk.MemberID
	}
	for _, m := range c.Members {
		if o.Disk.State != DiskData && p.Announces && sameURLs(m.PeerURLs, p.PeerURLs) {
			return m.ID
		}
	}
	return 0
}

// Lag is how many entries a member is behind; only the leader can tell.
func (s Status) Lag(m Member) (entries uint64, known bool) {
	switch {
	case s.Cluster.NoProof != "":
		return 0, false
	case m.Health.Following:
		return 0, true
	}
	return s.Newest - m.Health.Match, true
}

// Takes tells whether the member takes part now; without a quorum, whether it
// answers.
func (s Status) Takes(m Member) bool {
	if !s.Quorum {
		return m.Started() && m.Health.Reached != ""
	}
	return m.Started() && s.Cluster.alive(m)
}

// Alarms are the kinds that are raised anywhere.
func (s Status) Alarms() []string {
	kinds := slices.Clone(s.Cluster.Alarms)
	for _, m := range s.Cluster.Members {
		kinds = append(kinds, m.Alarms...)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// Clear tells whether another look would tell no more: of a member that does
// not follow it is known whether its log stands still.
func (s Status) Clear() bool {
	unclear := func(m Member) bool {
		return m.Started() && !m.Health.Following && !m.Health.Receiving && m.Health.Stalled == 0
	}
	return s.Quorum && (s.Cluster.NoProof != "" || !slices.ContainsFunc(s.Cluster.Members, unclear))
}

// WhyNot says why there is no cluster of this host to look at or to leave, and
// with which code that ends.
func WhyNot(p Policy, o Observation) Plan {
	if len(o.joinable()) > 1 && o.Disk.State != DiskData {
		return ambiguous(o)
	}
	if plan, decided := o.foreign(p); decided && o.Disk.State != DiskData {
		return plan
	}
	if o.Discovery.Kind == "" && !p.Endpoints && len(o.Views) == 0 && o.Disk.State != DiskData {
		return withoutDiscovery(p, o)
	}
	if o.Discovery.Error != "" && len(o.Views) == 0 {
		return barred(p, o, wait(DiscoveryDown, "the discovery service does not answer: "+o.Discovery.Error, "check the discovery URL and the service behind it"))
	}
	return barred(p, o, noQuorum(o))
}
