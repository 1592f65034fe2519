package e2e

import (
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/netns"
)

// newNetSite is a site on a network that breaks.
func newNetSite(t *testing.T, size int) (*site, *cluster.Net) {
	t.Helper()
	netns.Need(t)
	t.Parallel()
	n := cluster.NewNet(t)
	return newSiteIn(t, n.Lab, size), n
}

var allVersions = []string{"2.3", "3.4", "3.5", "3.6", "3.7"}

// TestCutOffJoiner: a new host does not see a member that the others see. It
// is not the one to say that the member is dead.
func TestCutOffJoiner(t *testing.T) {
	t.Parallel()
	for _, version := range allVersions {
		t.Run(version, func(t *testing.T) {
			s, n := newNetSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			leader := s.lab.WaitLeader(hosts...)
			follower := without(hosts, leader)[0]
			s.unchanged(leader, func() {
				s.cutOffRefused(n, version, hosts, follower, "full")
				s.cutOffRefused(n, version, hosts, leader, "full or no-evidence")
			})
			s.lab.WaitHealthy(3, hosts...)
			s.wantQuorum(hosts...)
		})
	}
}

// cutOffRefused lets one host for each strategy try at once.
func (s *site) cutOffRefused(n *cluster.Net, version string, hosts []*cluster.Host, unseen *cluster.Host, reason string) {
	s.Helper()
	var runs []*cluster.Running
	for _, strategy := range []string{"add", "replace", "prune"} {
		fresh := s.lab.Host(version)
		n.Both(n.Port(fresh), n.Port(unseen), netns.Cut)
		runs = append(runs, s.start(fresh, at(hosts), "-join-strategy="+strategy, "-timeout=12s"))
	}
	for _, run := range runs {
		s.want(run.Wait(), 75, reason)
	}
}

// TestReboot: a member's host is down for 45 seconds, and other hosts want its
// place all the while. With the default of -dead-after it keeps it.
func TestReboot(t *testing.T) {
	t.Parallel()
	const deadAfter, reboot = 60 * time.Second, 45 * time.Second
	for _, version := range allVersions {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			var runs []*cluster.Running
			s.unchanged(hosts[0], func() {
				hosts[2].Kill()
				down := time.After(reboot)
				for _, strategy := range []string{"replace", "prune"} {
					fresh := s.lab.Host(version)
					runs = append(runs, s.start(fresh, "-join-strategy="+strategy, "-dead-after="+deadAfter.String()))
				}
				<-down
				s.boot(resume, hosts[2])
				for _, run := range runs {
					s.want(run.Wait(), 75, "full")
				}
			})
			s.lab.WaitHealthy(3, hosts...)
		})
	}
}
