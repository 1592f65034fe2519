package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
)

func (s *site) leave(h *cluster.Host, more ...string) cluster.Result {
	s.Helper()
	flags := slices.DeleteFunc(s.flags(h, more...), func(f string) bool { return strings.HasPrefix(f, "-o=") })
	return s.lab.Elastic(append(append([]string{"leave"}, h.IdentityFlags()...), flags...)...)
}

func (s *site) wantEnd(r cluster.Result, code int, reason string) {
	s.Helper()
	if r.Code != code || !strings.Contains(r.Stderr, "reason="+reason+" ") {
		s.Fatalf("want exit code %d, reason %s; got %s", code, reason, r)
	}
}

// TestLeave scales a cluster in from three to one, the leader first, and is
// refused where the quorum would be at risk.
func TestLeave(t *testing.T) {
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			hosts[0].Put("key", "value")
			hosts = s.riskyLeaveIsRefused(hosts)
			for len(hosts) > 1 {
				leader := s.lab.WaitLeader(hosts...)
				s.wantEnd(s.leave(leader), 0, "leave-done")
				leader.WaitExit()
				hosts = without(hosts, leader)
				s.lab.WaitHealthy(len(hosts), hosts...)
				s.wantEnd(s.leave(leader), 0, "leave-done") // again: nothing to do
			}
			s.wantKey(hosts[0], "value")
			s.unchanged(hosts[0], func() { s.wantEnd(s.leave(hosts[0]), 78, "leave-last") })
		})
	}
}

func (s *site) riskyLeaveIsRefused(hosts []*cluster.Host) []*cluster.Host {
	s.Helper()
	hosts[2].Kill()
	s.lab.WaitLeader(hosts[0], hosts[1])
	s.unchanged(hosts[0], func() { s.wantEnd(s.leave(hosts[1], "-timeout=4s"), 75, "quorum-at-risk") })
	hosts[2].Resume()
	s.lab.WaitHealthy(3, hosts...)
	return hosts
}
