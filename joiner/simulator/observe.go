package simulator

import (
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// Newest is the newest log entry in observations.
const Newest = 1000

// Observe is what a host sees of the cluster. Where no quorum answers it, it
// has the views of those members that do.
func (c *Cluster) Observe(h *Host) joiner.Observation {
	o := joiner.Observation{
		Disk: h.Disk, Discovery: h.Discovery, EtcdVersion: h.Version,
		Contacts: len(c.Members), Elapsed: joiner.Duration(h.Watched),
	}
	if by := c.spokesman(h, 0); by != nil {
		o.Clusters = []joiner.Cluster{c.observed(h, by)}
		return o
	}
	for i := range c.Members {
		if m := &c.Members[i]; h.reaches(m) {
			o.Views = append(o.Views, joiner.View{From: m.ClientURLs[0], ClusterID: c.ID, Named: true, Members: c.observedMembers(h, "no quorum")})
		}
	}
	return o
}

func (c *Cluster) observed(h *Host, by *Member) joiner.Cluster {
	seen := joiner.Cluster{
		ID: c.ID, Named: true, From: by.ClientURLs[0], API: "v3", Version: c.Version.minor(),
		Leader: c.Leader, Term: c.Term, NoProof: c.noProof(h), Intent: c.intent, Begun: c.begun, NoIntent: c.NoIntent,
	}
	if c.Version.Major < 3 {
		seen.API = "v2"
	}
	seen.Members = c.observedMembers(h, seen.NoProof)
	return seen
}

func (c *Cluster) noProof(h *Host) string {
	if h.NoProof == "" && !h.reaches(c.Member(c.Leader)) {
		return "the leader does not answer"
	}
	return h.NoProof
}

// observedMembers lists them by their IDs, as etcd 3 does.
func (c *Cluster) observedMembers(h *Host, noProof string) []joiner.Member {
	list := make([]joiner.Member, len(c.Members))
	for i := range c.Members {
		list[i] = c.observedMember(h, &c.Members[i])
		if noProof == "" {
			c.addProgress(&list[i].Health, h, &c.Members[i])
		}
	}
	return list
}

func (c *Cluster) observedMember(h *Host, m *Member) joiner.Member {
	seen := joiner.Member{ID: m.ID, PeerURLs: m.PeerURLs, Learner: m.Learner}
	if m.Named {
		seen.Name = m.Name
	}
	if m.Published {
		seen.ClientURLs = m.ClientURLs
	}
	reaches := h.reaches(m)
	switch {
	case reaches:
		seen.Health.Reached, seen.Health.Proven = m.ClientURLs[0], c.proves(m)
		seen.Version, seen.AddsWhileDown = c.Version.minor(), c.Version.addsWhileDown()
	default:
		seen.Health.Silent = c.silent(h, m)
		seen.Health.Refused = refuses(h, m)
	}
	return seen
}

// proves tells whether the member answers by a linearizable read; a learner
// does on its peer port only.
func (c *Cluster) proves(m *Member) bool {
	return m.State == Healthy && c.HasQuorum() && (!m.Learner || c.Version.atLeast(3, 5, 0))
}

// silent is for how long the host has missed the member while it looked.
func (c *Cluster) silent(h *Host, m *Member) joiner.Duration {
	if m.State == Healthy {
		return joiner.Duration(h.Watched) // it is out of reach for this host only
	}
	return joiner.Duration(min(h.Watched, m.Since))
}

// refuses tells whether a process that is gone is seen to be.
func refuses(h *Host, m *Member) bool {
	if m.State != Dead && m.State != Unstarted {
		return false
	}
	for _, id := range h.Unreached {
		if id == m.ID {
			return false
		}
	}
	return true
}

// addProgress adds the leader's word on the member's log.
func (c *Cluster) addProgress(health *joiner.Health, h *Host, m *Member) {
	switch {
	case m.State == Healthy && m.Log == CaughtUp:
		health.Match, health.Following = Newest, true
	case m.State == Healthy: // it moves
		health.Match = matchOf(m.Log)
	default:
		health.Match = matchOf(m.Log)
		health.Stalled = joiner.Duration(min(h.Watched, m.Since, c.LeaderSince))
	}
}

// matchOf is where the log of a member stands that does not follow. One that
// died a moment ago still has nearly all of it.
func matchOf(l Log) uint64 {
	switch l {
	case CaughtUp:
		return Newest - 10
	case Behind:
		return Newest / 2
	}
	return 0
}

// covered tells whether an intent is about the member. The window of one that
// never ran begins when no intent is (joiner/ledger.go).
func (c *Cluster) covered(m *Member) bool {
	return m.State == Unstarted && c.intent != nil && sameURLs(c.intent.PeerURLs, m.PeerURLs)
}

func (c *Cluster) age(m *Member, d time.Duration) {
	m.Since, m.Up = min(m.Since+d, Horizon), min(m.Up+d, HealthInterval)
	if c.covered(m) {
		m.Since = 0
	}
}
