package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestGrow takes a cluster from three to five, under each strategy that adds.
func TestGrow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ version, strategy string }{
		{"3.5", "add"}, {"3.6", "add"}, {"3.7", "add"}, {"3.5", "replace"}, {"3.6", "replace"},
		{"3.7", "replace"}, {"3.5", "prune"}, {"3.6", "prune"}, {"3.7", "prune"},
	} {
		t.Run(c.version+"/"+c.strategy, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, c.version)
			s.found(hosts...)
			hosts[0].Put("key", "value")
			for len(hosts) < 5 {
				fresh := s.lab.Host(c.version)
				s.boot("join-listed", fresh, "-cluster-size=5", "-join-strategy="+c.strategy)
				hosts = append(hosts, fresh)
				s.lab.WaitHealthy(len(hosts), hosts...)
				s.wantKey(fresh, "value")
			}
			s.unchanged(hosts[0], func() {
				s.want(s.elastic(s.lab.Host(c.version), "-cluster-size=5", "-join-strategy="+c.strategy), 75, "full")
			})
		})
	}
}

// TestFoundersGone replaces all founders one by one: the discovery service
// must still lead to the cluster.
func TestFoundersGone(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	hosts[0].Put("key", "value")
	for range 4 {
		hosts[0].Kill()
		fresh := s.lab.Host("3.6")
		s.boot("join-listed", fresh)
		hosts = append(hosts[1:], fresh)
		s.lab.WaitHealthy(3, hosts...)
	}
	// The founders' places are taken for good; of the others, only members
	// are left.
	if n := strings.Count(s.disco.Dump(s.token), "http://127."); n != 3+3 {
		t.Fatalf("%d registrations in %s", n, s.disco.Dump(s.token))
	}
	for _, h := range hosts {
		s.wantKey(h, "value")
	}
}

// TestPrepare joins by the admin's entry only.
func TestPrepare(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			fresh := s.lab.Host(version)
			s.unchanged(hosts[0], func() {
				s.want(s.elastic(fresh, "-join-strategy=prepared"), 78, "not-prepared")
			})
			hosts[0].Add(fresh.PeerURL())
			s.boot("join-listed", fresh, "-join-strategy=prepare")
			s.lab.WaitHealthy(4, append(hosts, fresh)...)
		})
	}
}

// TestCrashBetweenAddAndStart: the entry that a run left behind is adopted by
// the next one.
func TestCrashBetweenAddAndStart(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	hosts[2].Kill()
	fresh := s.lab.Host("3.6")
	first := s.elastic(fresh)
	s.want(first, 0, "join-listed")
	s.unchanged(hosts[0], func() {
		second := s.elastic(fresh)
		s.want(second, 0, "join-listed")
		if second.Stdout != first.Stdout {
			t.Fatalf("two runs, two outputs:\n%s\n%s", first.Stdout, second.Stdout)
		}
		fresh.StartWith(second.Stdout)
	})
	s.lab.WaitHealthy(3, hosts[0], hosts[1], fresh)
}

// TestPruneTwo: a host that takes out two dead members leaves a place for another
// one, and for no third, though no host is told a size.
func TestPruneTwo(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.6"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 1)
			hosts := s.lab.Hosts(5, version)
			s.lab.Found(hosts...)
			hosts[3].Kill()
			hosts[4].Kill()
			s.lab.WaitLeader(hosts[:3]...)
			flags := []string{"-discovery=", at(hosts[:3]), "-join-strategy=prune"}
			alive := hosts[:3]
			for range 2 {
				fresh := s.lab.Host(version)
				s.boot("join-listed", fresh, flags...)
				alive = append(slices.Clone(alive), fresh)
				s.lab.WaitHealthy(len(alive), alive...)
			}
			s.unchanged(hosts[0], func() { s.want(s.elastic(s.lab.Host(version), flags...), 75, "full") })
		})
	}
}

// TestWrongDataDir: an etcd runs on this host, and elastic-etcd is given
// another data dir.
func TestWrongDataDir(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	s.unchanged(hosts[0], func() {
		s.want(s.elastic(hosts[0], "-data-dir="+t.TempDir()), 78, "own-urls-in-use")
		s.want(s.elastic(hosts[0]), 0, "resume-running")
	})
}

// TestFrozen: a frozen member is a dead one after the window, and one that
// thaws within the window is not.
func TestFrozen(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			frozen := hosts[2]
			if s.lab.WaitLeader(hosts...) == frozen {
				frozen = hosts[0]
			}
			frozen.Freeze()
			fresh := s.lab.Host(version)
			s.thawsInTime(hosts, frozen, fresh)
			frozen.Freeze()
			s.boot("join-listed", fresh)
			s.lab.WaitHealthy(3, append(without(hosts, frozen), fresh)...)
		})
	}
}

func (s *site) thawsInTime(hosts []*cluster.Host, frozen, fresh *cluster.Host) {
	s.Helper()
	s.unchanged(without(hosts, frozen)[0], func() {
		run := s.start(fresh, "-dead-after=30s")
		s.lab.WaitFor("elastic-etcd to watch the frozen member", logged(run, "reason=watch-members"))
		frozen.Thaw()
		s.want(run.Wait(), 75, "full")
	})
	s.lab.WaitHealthy(3, hosts...)
}
