package simulator

import (
	"slices"
	"strconv"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// Key is equal for clusters that behave alike from here on. Members go by
// their places: which IDs there once were does not matter, and neither do
// terms and revisions, except to plans made before: see PlanKey.
func (c *Cluster) Key() string {
	b := make([]byte, 0, 64+48*len(c.Members))
	b = append(b, c.Version.String()...)
	b = append(b, flag(c.Strict), byte('0'+c.MaxLearners), byte('a'+c.place(c.Leader)))
	b = c.appendOwed(appendTime(b, c.LeaderSince))
	for i := range c.Members {
		b = c.Members[i].appendKey(b)
	}
	return string(c.appendIntent(b))
}

func (c *Cluster) appendOwed(b []byte) []byte {
	b = append(b, byte('a'+c.place(c.deposed)))
	if p := c.owed; p != nil {
		b = appendURLs(append(b, p.what, byte('a'+c.place(p.id)), flag(p.learner)), p.peerURLs)
	}
	return b
}

func flag(set bool) byte {
	if set {
		return '+'
	}
	return '-'
}

// place is where a member stands in the list, counted from 1; 0 = nowhere.
func (c *Cluster) place(id joiner.ID) int {
	return 1 + slices.IndexFunc(c.Members, func(m Member) bool { return m.ID == id })
}

func appendTime(b []byte, d time.Duration) []byte {
	return append(strconv.AppendInt(b, int64(d/time.Millisecond), 36), ' ')
}

func (m *Member) appendKey(b []byte) []byte {
	b = append(b, '|', flag(m.Learner), flag(m.Named), flag(m.Published), byte('0'+m.State), byte('0'+m.Log))
	b = appendTime(b, m.Since)
	b = appendTime(b, m.Up)
	b = append(b, m.Name...)
	return appendURLs(b, m.PeerURLs)
}

func appendURLs(b []byte, urls []string) []byte {
	for _, u := range urls {
		b = append(append(b, ' '), u...)
	}
	return b
}

func (c *Cluster) appendIntent(b []byte) []byte {
	b = append(append(b, '|'), c.NoIntent...)
	if i := c.intent; i != nil {
		b = append(c.appendAims(b, i), i.Purpose...)
		b = appendTime(append(b, byte('a'+c.place(i.Former))), time.Duration(i.Left))
	}
	if i := c.begun; i != nil {
		b = c.appendAims(append(b, '|'), i)
		for _, id := range i.Of {
			b = append(b, byte('a'+c.place(id)))
		}
	}
	return b
}

func (c *Cluster) appendAims(b []byte, i *joiner.Intent) []byte {
	b = strconv.AppendInt(append(b, byte('a'+c.place(i.Replaces))), int64(i.Size), 10)
	return appendURLs(b, i.PeerURLs)
}

// PlanKey is equal for plans that the cluster answers alike: for a test in
// which a host acts later than it decided.
func (c *Cluster) PlanKey(plan joiner.Plan) string {
	b := append([]byte(plan.Step), ' ')
	b = append(append(b, plan.Reason...), ' ', flag(plan.Learner), flag(plan.Seen == nil || c.has(plan.Seen)))
	if m := plan.Member; m != nil {
		b = appendURLs(append(b, byte('a'+c.place(m.ID))), m.PeerURLs)
	}
	if i := plan.Intent; i != nil {
		b = append(b, '|', flag(i.Lease == 0), flag(c.begun != nil && i.Revision == c.begun.Revision), flag(i.Revision == c.intentRevision()), flag(c.intent != nil && c.intent.Lease == i.Lease))
		b = append(append(b, i.Purpose...), byte('a'+c.place(i.Replaces)))
		b = appendURLs(b, i.PeerURLs)
	}
	return string(b)
}

// Key is equal for hosts that decide alike from here on; the policy is not in
// it.
func (h *Host) Key(c *Cluster) string {
	b := append([]byte(h.Disk.State), byte('a'+c.place(h.Disk.MemberID)), flag(h.Disk.Running), ' ')
	b = append(appendTime(b, h.Watched), h.NoProof...)
	for _, id := range h.Unreached {
		b = append(b, ' ', byte('a'+c.place(id)))
	}
	return string(b)
}
