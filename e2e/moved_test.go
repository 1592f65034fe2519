package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// TestMovedAlone: the only voter comes back with its data at another address.
// It resumes as it is, the promotion tells the cluster, and a newcomer finds
// it there.
func TestMovedAlone(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 1)
			old := s.lab.Host(version)
			s.found(old)
			old.Put("key", "value")
			old.Stop()
			moved := s.lab.Host(version)
			moved.TakeDisk(old)
			s.boot(resume, moved)
			s.wantPromoted(s.promote(moved))
			if m := moved.Members()[0]; strings.Join(m.PeerURLs, " ") != moved.PeerURL() {
				t.Fatalf("its peer URLs are %q, want %q", m.PeerURLs, moved.PeerURL())
			}
			s.wantKey(moved, "value")
		})
	}
}

// TestMovedOnto: a member's disk is put into the host of another dead member.
// Etcd would not take the peer URLs a second time, however often it is asked.
func TestMovedOnto(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.6"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 5)
			hosts := s.lab.Hosts(5, version)
			s.found(hosts...)
			hosts[3].Kill()
			hosts[4].Kill()
			hosts[4].Wipe()
			hosts[4].TakeDisk(hosts[3])
			s.lab.WaitLeader(hosts[:3]...)
			s.unchanged(hosts[0], func() { s.want(s.elastic(hosts[4]), 78, "urls-held") })
		})
	}
}

// TestMovedPrepared: strategy prepare changes nothing, its own addresses either.
func TestMovedPrepared(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	hosts[2].Kill()
	moved := s.lab.Host("3.6")
	moved.TakeDisk(hosts[2])
	s.unchanged(hosts[0], func() { s.want(s.elastic(moved, "-join-strategy=prepare"), 78, "not-prepared") })
}

// TestArchivesEnough: a plan says so before a run does.
func TestArchivesEnough(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	m, _ := hosts[0].Membership().Of(hosts[2])
	hosts[0].Remove(m.ID)
	hosts[2].WaitExit()
	for i := range 3 {
		if err := os.Mkdir(filepath.Join(hosts[2].DataDir, fmt.Sprintf("member.removed-2026010%dT000000Z", i+1)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if steps, code := s.plan(hosts[2]); code != 78 || !slices.Equal(steps, []string{"refuse data-unarchivable"}) {
		t.Errorf("plan: %q, exit code %d", steps, code)
	}
	s.unchanged(hosts[0], func() { s.want(s.elastic(hosts[2]), 78, "data-unarchivable") })
}
