package joiner

// Status is what a cluster is at one moment, in numbers to act on.
type Status struct {
	Cluster Cluster
	// Self is this host's member, zero where it has none.
	Self ID
	// Voters are those listed, Healthy those of them that take part now.
	Voters, Healthy int
	// Tolerance is how many healthy voters may still fail before the quorum
	// is lost.
	Tolerance int
	// Newest is the newest log entry that a member is known to hold.
	Newest uint64
}

// StatusOf sums up the cluster of this host: that of its data, else the one
// that its sources lead to. ok is false where none with a quorum answers.
func StatusOf(p Policy, o Observation) (s Status, ok bool) {
	c, ok := o.leaving()
	if !ok {
		return Status{}, false
	}
	self, _ := o.self(p, c)
	s = Status{Cluster: c, Self: self.ID, Voters: c.voters(), Healthy: c.healthy(), Newest: c.newest()}
	s.Tolerance = s.Healthy - quorum(s.Voters)
	return s, true
}

// Lag is how many entries a member is known to be behind.
func (s Status) Lag(m Member) uint64 {
	if s.Cluster.NoProof != "" || m.Health.Following {
		return 0
	}
	return s.Newest - m.Health.Match
}

// Takes tells whether the member takes part now.
func (s Status) Takes(m Member) bool { return m.Started() && s.Cluster.alive(m) }

// WhyNot says why there is no cluster of this host to look at or to leave, and
// with which code that ends.
func WhyNot(p Policy, o Observation) Plan {
	if len(o.Clusters) > 1 && o.Disk.State != DiskData {
		return ambiguous(o)
	}
	if o.Discovery.Kind == "" && !p.Endpoints && len(o.Views) == 0 && o.Disk.State != DiskData {
		return withoutDiscovery(p, o)
	}
	if o.Discovery.Error != "" && len(o.Views) == 0 {
		return barred(o, wait(DiscoveryDown, "the discovery service does not answer: "+o.Discovery.Error, "check the discovery URL and the service behind it"))
	}
	return barred(o, noQuorum(o))
}
