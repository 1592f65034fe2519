package e2e

import (
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestJoinTogether: many hosts at once want into a cluster in which a member
// hangs, which etcd from 3.5 on takes for a healthy one. However they
// interleave, the quorum survives: some join, the others wait or are refused.
func TestJoinTogether(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 4)
			hosts := s.lab.Hosts(4, version)
			s.found(hosts...)
			hosts[0].Put("key", "value")
			frozen := hosts[3]
			if s.lab.WaitLeader(hosts...) == frozen {
				frozen = hosts[2]
			}
			frozen.Freeze()
			s.joinTogether(hosts, version)
			healthy := without(hosts, frozen)
			s.lab.WaitLeader(healthy...)
			healthy[0].Put("key", "the quorum is alive")
			s.wantKey(healthy[1], "the quorum is alive")
		})
	}
}

// joinTogether starts elastic-etcd on four hosts at once and no etcd: the
// worst case that the quorum rule counts with.
func (s *site) joinTogether(hosts []*cluster.Host, version string) {
	s.Helper()
	var runs []*cluster.Running
	for range 4 {
		fresh := s.lab.Host(version)
		runs = append(runs, s.start(fresh, "-cluster-size=8", "-join-strategy=add", "-timeout=10s"))
	}
	joined := 0
	for _, run := range runs {
		switch r := run.Wait(); {
		case r.Code == 0:
			joined++
		case r.Code != 75 || strings.Contains(r.Stderr, "panic"):
			s.Fatalf("a host neither joined nor was told to try again: %s", r)
		}
	}
	if joined > 1 {
		s.Fatalf("%d hosts joined, and a quorum of four voters allows one", joined)
	}
}

// TestTwins: two hosts register one name at the same moment. One of them is
// refused, and the token is not spoilt: with a name of its own it founds the
// cluster with the others.
func TestTwins(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			var runs []*cluster.Running
			for _, h := range hosts[:2] {
				runs = append(runs, s.start(h, "-name=twin"))
			}
			refused := s.firstToEnd(runs)
			founder := 1 - refused
			s.want(runs[refused].Wait(), 78, "name-in-use")
			rest := []*cluster.Running{s.start(hosts[refused]), s.start(hosts[2])}
			for i, run := range append(rest, runs[founder]) {
				r := run.Wait()
				s.want(r, 0, founding)
				[]*cluster.Host{hosts[refused], hosts[2], hosts[founder]}[i].StartWith(r.Stdout)
			}
			s.lab.WaitHealthy(3, hosts...)
		})
	}
}
