package e2e

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/netns"
)

// fault is something that happens to a host, and how it ends.
type fault struct {
	name         string
	inject, heal func(*site, *cluster.Net, *cluster.Host)
}

var faults = []fault{
	{"kill", func(_ *site, _ *cluster.Net, h *cluster.Host) { h.Kill() }, (*site).restart},
	{"freeze", func(_ *site, _ *cluster.Net, h *cluster.Host) { h.Freeze() },
		func(_ *site, _ *cluster.Net, h *cluster.Host) { h.Thaw() }},
	{"cut off", cutOff, mend},
	{"deaf", deaf, mend},
	{"mute", mute, mend},
}

func (s *site) restart(_ *cluster.Net, h *cluster.Host) { s.boot(resume, h) }

// cutOff: nobody hears it, and it hears nobody. Only the test does.
func cutOff(_ *site, n *cluster.Net, h *cluster.Host) {
	n.Around(n.Port(h), netns.Cut, n.Observer)
}

func deaf(_ *site, n *cluster.Net, h *cluster.Host) { n.Into(n.Port(h), netns.Cut, n.Observer) }

func mute(_ *site, n *cluster.Net, h *cluster.Host) { n.OutOf(n.Port(h), netns.Cut, n.Observer) }

func mend(_ *site, n *cluster.Net, _ *cluster.Host) { n.Heal() }

// TestFaults: a member fails in all ways. While it is not dead for long enough
// nobody takes its place, and then somebody does; a client writes all the
// while, and nothing that was acknowledged is lost.
func TestFaults(t *testing.T) {
	t.Parallel()
	for turn, version := range allVersions {
		t.Run(version, func(t *testing.T) {
			s, n := newNetSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.lab.Found(hosts...)
			load := s.startLoad(hosts)
			passing, lasting := faultsOf(turn)
			for i, f := range passing {
				s.healed(n, f, hosts, (turn+i)%2 == 0)
			}
			for _, f := range lasting {
				hosts = s.failedOver(n, f, hosts)
				load.use(hosts)
			}
			load.end(hosts...)
		})
	}
}

// faultsOf takes turns: all faults with all versions take minutes, and make
// chaos has them.
func faultsOf(turn int) (passing, lasting []fault) {
	if long() {
		return faults, faults
	}
	i := turn % len(faults)
	j := (turn + 2) % len(faults)
	return []fault{faults[i], faults[j]}, []fault{faults[j], faults[(turn+4)%len(faults)]}
}

// long says whether this is make chaos.
func long() bool { return os.Getenv(chaosRounds) != "" }

const chaosRounds = "ELASTIC_ETCD_CHAOS_ROUNDS"

// victim is the leader, or else a follower, and the others.
func (s *site) victim(hosts []*cluster.Host, leader bool) (*cluster.Host, []*cluster.Host) {
	s.Helper()
	h := s.lab.WaitLeader(hosts...)
	if !leader {
		h = without(hosts, h)[0]
	}
	return h, without(hosts, h)
}

// healed is a fault that ends before the member is dead.
func (s *site) healed(n *cluster.Net, f fault, hosts []*cluster.Host, leader bool) {
	s.Helper()
	victim, others := s.victim(hosts, leader)
	s.unchanged(others[0], func() {
		fresh := s.lab.Host(victim.Version)
		n.Port(fresh) // is cut off from the victim, too
		f.inject(s, n, victim)
		run := s.start(fresh, at(others), "-dead-after=80s")
		s.lab.WaitFor("elastic-etcd to watch after "+f.name, logged(run, "reason=watch-members"))
		s.lab.WaitLeader(others...)
		s.wantQuorum(others...)
		f.heal(s, n, victim)
		s.lab.WaitHealthy(3, hosts...)
		s.want(run.Wait(), 75, "full")
	})
}

// failedOver is a fault that does not end. The member's host comes back when a
// fresh one has its place, and there is none for it.
func (s *site) failedOver(n *cluster.Net, f fault, hosts []*cluster.Host) []*cluster.Host {
	s.Helper()
	victim, others := s.victim(hosts, f.name == "kill")
	fresh := s.lab.Host(victim.Version)
	n.Port(fresh) // is cut off from the victim, too
	f.inject(s, n, victim)
	s.boot("join-listed", fresh, at(others))
	members := append(slices.Clone(others), fresh)
	s.lab.WaitHealthy(3, members...)
	s.ousted(n, f, victim, members)
	return members
}

// ousted: the member learns that it is none any more.
func (s *site) ousted(n *cluster.Net, f fault, victim *cluster.Host, members []*cluster.Host) {
	s.Helper()
	n.Heal()
	if f.name == "freeze" {
		victim.Thaw()
	}
	victim.WaitExit()
	s.unchanged(members[0], func() { s.want(s.elastic(victim, at(members)), 75, "full") })
}

// TestBadNetwork: packets get lost, and are late. Everything takes longer, and
// nothing else happens.
func TestBadNetwork(t *testing.T) {
	s, n := newNetSite(t, 3)
	hosts := s.lab.Hosts(4, "3.6")
	s.lab.Found(hosts[:3]...)
	load := s.startLoad(hosts[:3])
	for _, h := range hosts {
		n.Around(n.Port(h), netns.Link{Loss: 0.05, Delay: 2 * time.Millisecond})
	}
	s.unchanged(hosts[0], func() { s.want(s.elastic(hosts[3], at(hosts)), 75, "full") })
	hosts[2].Kill()
	s.boot("join-listed", hosts[3], at(hosts))
	n.Heal()
	members := without(hosts, hosts[2])
	s.lab.WaitHealthy(3, members...)
	load.end(members...)
}
