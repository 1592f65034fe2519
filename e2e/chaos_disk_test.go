package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestBrokenDisk: a member's disk fails under it. Its host is told nothing that
// would start an etcd on it, and another host takes its place.
func TestBrokenDisk(t *testing.T) {
	t.Parallel()
	for _, version := range allVersions {
		t.Run(version, func(t *testing.T) {
			s, n := newNetSite(t, 3)
			needDisks(t)
			hosts := s.lab.Hosts(3, version)
			victim := hosts[2]
			n.Disk(victim)
			s.lab.Found(hosts...)
			load := s.startLoad(hosts)
			n.BreakDisk(victim)
			victim.WaitExit()
			s.unchanged(hosts[0], func() { s.want(s.elastic(victim, at(hosts), "-timeout=5s"), 78, "step-failed or data-damaged") })
			fresh := s.lab.Host(version)
			s.boot("join-listed", fresh, at(hosts))
			members := append(slices.Clone(hosts[:2]), fresh)
			s.lab.WaitHealthy(3, members...)
			load.end(members...)
			n.EndDisk(victim)
		})
	}
}

// TestReadOnlyDisk: a fresh host cannot write where its etcd is to live. As a
// member it would never start.
func TestReadOnlyDisk(t *testing.T) {
	s, n := newNetSite(t, 3)
	needDisks(t)
	hosts := s.lab.Hosts(2, "3.6")
	s.lab.Found(hosts...)
	fresh := s.lab.Host("3.6")
	n.Disk(fresh)
	n.RemountDisk(fresh, "ro")
	r := s.elastic(fresh, at(hosts), "-timeout=5s")
	added := len(hosts[0].Members()) == 3
	s.wantQuorum(hosts...)
	n.RemountDisk(fresh, "rw")
	s.boot("join-listed", fresh, at(hosts))
	s.lab.WaitHealthy(3, append(hosts, fresh)...)
	fresh.Kill()
	n.EndDisk(fresh)
	if added {
		t.Fatalf("a host that cannot write its data dir is added as a voter: %s", r)
	}
	if r.Code != 78 {
		t.Fatalf("want exit code 78, got %s", r)
	}
}

// TestFullDisk: the archive of a removed member and a new member do not fit
// beside one another.
func TestFullDisk(t *testing.T) {
	s, n := newNetSite(t, 3)
	needDisks(t)
	hosts := s.lab.Hosts(3, "3.6")
	victim := hosts[2]
	n.Disk(victim)
	s.lab.Found(hosts...)
	list := hosts[0].Membership()
	m, _ := list.Of(victim)
	hosts[0].Remove(m.ID)
	victim.WaitExit()
	n.FillDisk(victim, 50)
	s.unchanged(hosts[0], func() {
		r := s.elastic(victim, at(hosts))
		s.want(r, 78, "data-unarchivable")
		if !strings.Contains(r.Stderr, "free beside it") {
			s.Errorf("it does not say why: %s", r)
		}
	})
	n.FreeDisk(victim)
	s.boot("join-listed", victim, at(hosts), "-cluster-size=3")
	s.lab.WaitHealthy(3, hosts...)
	victim.Kill()
	n.EndDisk(victim)
}

func needDisks(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		t.Skipf("NOT TESTED: a disk that breaks needs mkfs.ext4: %v", err)
	}
}
