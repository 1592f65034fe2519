package e2e

import (
	"slices"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestLife is the main job, on every etcd: a cluster is found, its members
// restart, lose their disks, die and are replaced, and nothing that was
// acknowledged is lost.
func TestLife(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ version, strategy string }{
		{"3.6", "replace"}, {"3.6", "prune"},
		{"3.7", "replace"}, {"3.7", "prune"},
		{"3.5", "replace"}, {"3.5", "prune"},
		{"3.4", "replace"},
		{"2.3", "replace"},
	} {
		t.Run(c.version+"/"+c.strategy, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, c.version)
			s.found(hosts...)
			id := hosts[0].ClusterID()
			hosts[0].Put("key", "value")
			s.restarts(hosts)
			s.wiped(hosts, c.strategy)
			hosts = s.replaced(hosts, c.version, c.strategy)
			s.fullIsRefused(hosts, c.version, c.strategy)
			s.outage(hosts, c.version, c.strategy)
			for _, h := range hosts {
				s.wantKey(h, "value")
				if got := h.ClusterID(); got != id {
					t.Errorf("%s: cluster %x, was founded as %x", h.Name, got, id)
				}
			}
		})
	}
}

// restarts: with the same output, and through elastic-etcd.
func (s *site) restarts(hosts []*cluster.Host) {
	s.Helper()
	h := hosts[0]
	h.Stop()
	same := s.boot("resume-member", h)
	s.lab.WaitHealthy(3, hosts...)
	for _, told := range []string{same, s.told[h]} {
		h.Kill()
		h.StartWith(told)
		s.lab.WaitHealthy(3, hosts...)
	}
}

// wiped: a member whose disk is gone joins anew, as another member.
func (s *site) wiped(hosts []*cluster.Host, strategy string) {
	s.Helper()
	h := hosts[1]
	before, _ := h.Membership().Of(h)
	h.Kill()
	h.Wipe()
	if h.Version == "3.6.16" { // the rule is the same for all, and takes a window each
		s.unchanged(hosts[0], func() {
			s.want(s.elastic(h, "-join-strategy=add"), 78, "former-self-kept")
			s.want(s.elastic(h, "-join-strategy=prepare"), 78, "former-self-kept")
		})
	}
	s.boot("join-listed", h, "-join-strategy="+strategy)
	s.lab.WaitHealthy(3, hosts...)
	if after, _ := h.Membership().Of(h); after.ID == before.ID {
		s.Fatalf("%s came back as member %x without its data", h.Name, after.ID)
	}
	s.wantKey(h, "value")
}

// replaced: a member is lost for good, and a new host takes its place.
func (s *site) replaced(hosts []*cluster.Host, version, strategy string) []*cluster.Host {
	s.Helper()
	hosts[2].Kill()
	fresh := s.lab.Host(version)
	steps, code := s.plan(fresh, "-join-strategy="+strategy)
	removal := map[string]string{"replace": "remove full-dead", "prune": "remove prune-dead"}[strategy]
	if want := []string{"claim intent-claim", removal, "add room", "forget join-over", "emit join-listed"}; !slices.Equal(steps, want) || code != 0 {
		s.Fatalf("plan: %q, exit code %d; want %q, 0", steps, code, want)
	}
	s.boot("join-listed", fresh, "-join-strategy="+strategy)
	hosts = append(slices.Clone(hosts[:2]), fresh)
	s.lab.WaitHealthy(3, hosts...)
	s.wantKey(fresh, "value")
	return hosts
}

func (s *site) fullIsRefused(hosts []*cluster.Host, version, strategy string) {
	s.Helper()
	surplus := s.lab.Host(version)
	s.unchanged(hosts[0], func() {
		s.want(s.elastic(surplus, "-join-strategy="+strategy), 75, "full")
		s.want(s.elastic(surplus, "-join-strategy=add"), 75, "full")
		s.want(s.elastic(surplus, "-join-strategy=prepare"), 78, "not-prepared")
	})
}

// outage: without a quorum nothing is touched, and after a power cut everybody
// resumes the same cluster.
func (s *site) outage(hosts []*cluster.Host, version, strategy string) {
	s.Helper()
	before := ids(hosts[0].Members())
	hosts[0].Kill()
	hosts[1].Kill()
	surplus := s.lab.Host(version)
	s.wantWait(s.start(surplus, "-join-strategy="+strategy), "no-quorum")
	hosts[2].Kill()
	s.wantWait(s.start(surplus, "-join-strategy="+strategy), "unreachable")
	for _, h := range hosts {
		s.boot(resume, h)
	}
	s.lab.WaitHealthy(3, hosts...)
	if after := ids(hosts[0].Members()); !slices.Equal(before, after) {
		s.Fatalf("the members were %x and are %x", before, after)
	}
}
