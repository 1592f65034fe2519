package e2e

import (
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// TestMovedAlone: the only voter comes back with its data at another address.
// It resumes as it is, the promotion tells the cluster, and a newcomer finds
// it there.
func TestMovedAlone(t *testing.T) {
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
