package e2e

import (
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

// TestForeignCluster: a registration outlived its host, whose address is now
// that of a member of another cluster. While the token's own cluster is down,
// nobody joins that one, or removes a member of it, unless the admin says so.
func TestForeignCluster(t *testing.T) {
	s := newSite(t, 1)
	own, fresh := s.lab.Host("3.6"), s.lab.Host("3.6")
	s.found(own)
	hosts := s.lab.Hosts(3, "3.6")
	s.lab.Found(hosts...)
	late := joiner.Registration("late", []string{hosts[0].PeerURL()}, s.token)
	if err := newSource(t, s.token).Register(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	own.Kill()
	hosts[2].Kill()
	s.lab.WaitLeader(hosts[:2]...)
	s.unchanged(hosts[0], func() {
		s.wantWait(s.start(fresh, "-cluster-size=3"), "cluster-foreign")
	})
	s.boot("join-listed", fresh, at(hosts[:2]), "-cluster-size=3")
	s.lab.WaitHealthy(3, hosts[0], hosts[1], fresh)
}
