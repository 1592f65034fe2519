package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
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

// TestTwoEtcdsOnAHost: a cluster on other ports is founded on hosts that have
// the default ports taken by one with a dead member. Nobody joins that one, or
// removes its member, because the client port is where it would be guessed.
func TestTwoEtcdsOnAHost(t *testing.T) {
	s := newSite(t, 1)
	hosts := s.lab.Hosts(3, "3.6")
	s.lab.Found(hosts...)
	hosts[2].Kill()
	s.lab.WaitLeader(hosts[:2]...)
	var list []string
	for _, h := range hosts {
		list = append(list, fmt.Sprintf("%s=http://%s:12380", h.Name, h.Addr))
	}
	second := []string{"-discovery=", "-data-dir=" + t.TempDir(), "-initial-advertise-peer-urls=http://" + hosts[0].Addr + ":12380", "-cluster-size=3"}
	s.unchanged(hosts[0], func() {
		byList := append(second, "-initial-cluster="+strings.Join(list, ","))
		s.wantWait(s.start(hosts[0], append(byList, "-initial-cluster-state=existing")...), "unreachable")
		s.want(s.elastic(hosts[0], append(byList, "-initial-cluster-state=new")...), 0, "found")
	})
}

// TestReusedAddress: a member died, and its address is that of another cluster
// by now. Nobody joins that one while the cluster that was named has no quorum,
// or takes its own data for wrong; and with a quorum the dead member is replaced.
func TestReusedAddress(t *testing.T) {
	s := newSite(t, 1)
	hosts, fresh := s.lab.Hosts(3, "3.6"), s.lab.Host("3.6")
	s.lab.Found(hosts...)
	stranger := hosts[2]
	stranger.Kill()
	stranger.Wipe()
	stranger.Start(append(stranger.IdentityFlags(), "--initial-cluster="+cluster.InitialCluster(stranger), "--initial-cluster-token=another")...)
	s.lab.WaitHealthy(1, stranger)
	bare := func(more ...string) []string { return append([]string{"-discovery="}, more...) }
	s.unchanged(stranger, func() {
		hosts[1].Freeze()
		s.wantWait(s.start(fresh, bare(at(hosts[:2]))...), "no-quorum")
		s.wantWait(s.start(fresh, bare(at(hosts))...), "no-quorum")
		hosts[1].Kill()
		hosts[0].Kill()
		for _, h := range hosts[:2] {
			s.boot("resume-unconfirmed", h, bare(at(hosts))...)
		}
		s.lab.WaitLeader(hosts[:2]...)
		s.boot("join-listed", fresh, bare(at(hosts[:2]))...)
		s.lab.WaitHealthy(3, hosts[0], hosts[1], fresh)
	})
}
