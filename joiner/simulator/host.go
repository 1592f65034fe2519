package simulator

import (
	"slices"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// Host is one that runs elastic-etcd: it looks at the cluster and acts on it.
type Host struct {
	Policy    joiner.Policy
	Disk      joiner.Disk
	Discovery joiner.Discovery
	Version   joiner.Version // of its etcd, zero where it is not known

	// Watched is for how long its run has been looking, see Cluster.Watch.
	Watched time.Duration
	// Unreached are members that it does not reach, and others do. Nothing
	// answers it there, not even by refusing.
	Unreached []joiner.ID
	// NoProof says why it cannot ask the leader for its progress, "" = it can.
	NoProof string
	// At is the member that it asks for a change, 0 = the first that answers.
	At joiner.ID
}

// NewHost is host n with an empty disk and the etcd of the cluster.
func (c *Cluster) NewHost(n int, policy joiner.Policy) *Host {
	policy.Name, policy.PeerURLs = Name(n), []string{URL(n)}
	return &Host{Policy: policy, Disk: joiner.Disk{State: joiner.DiskFresh}, Version: c.Version.minor()}
}

// Clone is a host of its own with the same state.
func (h *Host) Clone() *Host {
	d := *h
	return &d
}

// Watch lets time go by while hosts look.
func (c *Cluster) Watch(d time.Duration, hosts ...*Host) {
	c.Pass(d)
	for _, h := range hosts {
		h.Watched = min(h.Watched+d, Horizon)
	}
}

// reaches tells whether the member answers this host.
func (h *Host) reaches(m *Member) bool {
	return (m.State == Healthy || m.State == Parted) && !slices.Contains(h.Unreached, m.ID)
}

// spokesman is a voter that answers the host with a quorum behind it, if
// possible not the one to avoid.
func (c *Cluster) spokesman(h *Host, avoid joiner.ID) *Member {
	if !c.HasQuorum() {
		return nil
	}
	if m := c.Member(h.At); m != nil && m.votes() && h.reaches(m) {
		return m
	}
	var fallback *Member
	for i := range c.Members {
		switch m := &c.Members[i]; {
		case !m.votes() || !h.reaches(m):
		case m.ID == avoid:
			fallback = m
		default:
			return m
		}
	}
	return fallback
}
