package e2e

import (
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/netns"
)

// TestNoProof: client ports speak gRPC only, so nobody can ask the leader for
// its progress, and a follower that is cut off from the others answers this
// host as ever. It does not count, or an add or a leave would take the quorum.
func TestNoProof(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s, n := newNetSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			for _, h := range hosts {
				h.Start(append(h.IdentityFlags(), "--initial-cluster="+cluster.InitialCluster(hosts...), "--initial-cluster-state=new",
					"--listen-client-http-urls=http://"+h.Addr+":2378")...)
			}
			s.lab.WaitHealthy(3, hosts...)
			leader := s.lab.WaitLeader(hosts...)
			followers := without(hosts, leader)
			part(n, followers[0], hosts, netns.Cut)
			s.unchanged(leader, func() { s.refusedWithoutProof(hosts, followers[1]) })
			s.wantQuorum(leader, followers[1])
			part(n, followers[0], hosts, netns.Link{})
			s.lab.WaitHealthy(3, hosts...)
			fresh := s.lab.Host(version)
			s.boot("join-listed", fresh, at(hosts), "-cluster-size=5", "-learner=never")
			s.lab.WaitHealthy(4, append(hosts, fresh)...)
			s.wantEnd(s.leave(followers[1], at(hosts)), 0, "leave-done")
		})
	}
}

// part is what becomes of a host's links to the other members.
func part(n *cluster.Net, h *cluster.Host, hosts []*cluster.Host, how netns.Link) {
	for _, other := range without(hosts, h) {
		n.Both(n.Port(h), n.Port(other), how)
	}
}

func (s *site) refusedWithoutProof(hosts []*cluster.Host, leaver *cluster.Host) {
	s.Helper()
	fresh := s.lab.Host(leaver.Version)
	join := s.start(fresh, at(hosts), "-cluster-size=5", "-learner=never")
	s.wantWait(s.command("leave", leaver, at(hosts)), "quorum-at-risk")
	s.wantWait(join, "quorum-at-risk")
}
