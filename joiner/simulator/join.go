package simulator

import "github.com/sttts/elastic-etcd/joiner"

// Join starts the etcd of a host with what it was told: one with data resumes,
// one without joins by its initial cluster, as etcd checks it
// (etcdserver/bootstrap.go, bootstrapExistingClusterNoWAL).
func (c *Cluster) Join(h *Host, config joiner.EtcdConfig) error {
	if h.Disk.State == joiner.DiskData {
		return c.resume(h)
	}
	m := c.At(h.Policy.PeerURLs)
	switch {
	case !c.answersOthers(h):
		return ErrUnreachable
	case m == nil || !c.isList(config.InitialCluster):
		return ErrWrongList
	case m.Log != NoLog:
		return ErrLostLog
	case c.Version.joinHangs() && c.hangs():
		return ErrHangs
	}
	m.Name = config.Name
	c.Start(m.ID)
	h.Disk = joiner.Disk{State: joiner.DiskData, MemberID: m.ID, ClusterID: c.ID}
	return nil
}

func (c *Cluster) resume(h *Host) error {
	m := c.Member(h.Disk.MemberID)
	if h.Disk.ClusterID != c.ID || m == nil {
		return ErrRemoved
	}
	c.Start(m.ID)
	return nil
}

// answersOthers tells whether a member with other URLs answers the newcomer.
func (c *Cluster) answersOthers(h *Host) bool {
	for i := range c.Members {
		if m := &c.Members[i]; h.reaches(m) && !sameURLs(m.PeerURLs, h.Policy.PeerURLs) {
			return true
		}
	}
	return false
}

// isList tells whether an initial cluster is the member list. Names do not
// count, but entries of the same name are one.
func (c *Cluster) isList(peers []joiner.Peer) bool {
	names := map[string]bool{}
	for _, p := range peers {
		names[p.Name] = true
		if c.At(p.URLs) == nil {
			return false
		}
	}
	return len(names) == len(c.Members) && len(peers) == len(c.Members)
}

func (c *Cluster) hangs() bool {
	for i := range c.Members {
		if s := c.Members[i].State; s == Frozen || s == CutOff {
			return true
		}
	}
	return false
}
