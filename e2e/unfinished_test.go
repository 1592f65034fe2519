package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/netns"
)

// What hosts leave behind that die over their joins, one after the other, and
// who clears it up. Nobody gives a size here: the cluster has to remember.

// TestTwoCrashes: two hosts die between the removal and the add.
func TestTwoCrashes(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.6"} {
		t.Run(version, func(t *testing.T) {
			s, n := newNetSite(t, 3)
			c := &crash{site: s, n: n, hosts: s.lab.Hosts(2, version)}
			s.lab.Found(c.hosts...)
			gone := s.lab.Host(version)
			n.Port(gone) // refuses connections
			c.hosts[0].Add(gone.PeerURL())
			for range 2 {
				c.killedAt(s.lab.Host(version), boundary{"add", 0, false})
				if n := len(c.hosts[0].Members()); n != 2 {
					t.Fatalf("%d members: it died at another place", n)
				}
				c.intentRunsOut(c.hosts[0])
			}
			c.want(c.joined(s.lab.Host(version)), 0, "join-listed")
		})
	}
}

// TestCrashThenLeave: what a host had begun to fill up is not filled up after
// another one has left on purpose.
func TestCrashThenLeave(t *testing.T) {
	s, n := newNetSite(t, 5)
	all := s.lab.Hosts(5, "3.6")
	s.lab.Found(all...)
	all[4].Kill()
	s.lab.WaitLeader(all[:4]...)
	c := &crash{site: s, n: n, hosts: all[:4]}
	c.killedAt(s.lab.Host("3.6"), boundary{"add", 0, false})
	s.intentRunsOut(all[0])
	s.wantEnd(s.leave(all[3], at(all[:3]), "-discovery="), 0, "leave-done")
	s.lab.WaitHealthy(3, all[:3]...)
	all[2].Kill()
	s.lab.WaitLeader(all[:2]...)
	fresh := s.lab.Host("3.6")
	s.boot("join-listed", fresh, at(all[:2]), "-discovery=")
	s.lab.WaitHealthy(3, all[0], all[1], fresh)
}

// TestBesideAbandoned: a learner that was added beside a dead member is dead
// itself, or was never started. Both are replaced.
func TestBesideAbandoned(t *testing.T) {
	t.Parallel()
	for _, started := range []bool{false, true} {
		t.Run(fmt.Sprint("started ", started), func(t *testing.T) {
			s := newSite(t, 5)
			hosts := s.lab.Hosts(5, "3.6")
			s.found(hosts...)
			hosts[4].Kill()
			first := s.lab.Host("3.6")
			r := s.elastic(first, "-learner=always")
			s.want(r, 0, "room-to-replace")
			if started {
				first.StartWith(r.Stdout)
				s.waitFollows(hosts[0], first)
				first.Kill()
			}
			s.intentRunsOut(hosts[0])
			members := slices.Clone(hosts[:4])
			fresh := s.lab.Host("3.6")
			s.boot("room-to-replace or join-listed", fresh, "-learner=always")
			s.wantPromoted(s.promote(fresh))
			s.lab.WaitHealthy(5, append(members, fresh)...)
		})
	}
}

// waitFollows waits until a learner holds all of the log.
func (s *site) waitFollows(at, learner *cluster.Host) {
	s.Helper()
	at.Put("key", "to follow")
	s.lab.WaitFor("the learner to follow", func(ctx context.Context) error {
		all, err := at.Client().Status(ctx, at.ClientURL())
		if err != nil {
			return err
		}
		own, err := learner.Client().Status(ctx, learner.ClientURL())
		if err == nil && own.RaftAppliedIndex < all.RaftIndex {
			err = fmt.Errorf("it has applied %d of %d", own.RaftAppliedIndex, all.RaftIndex)
		}
		return err
	})
}

// TestBesideLeft: a learner beside a dead member runs, and nobody promotes it.
// The next host that comes finishes that, and is one too many itself.
func TestBesideLeft(t *testing.T) {
	s := newSite(t, 5)
	hosts := s.lab.Hosts(5, "3.6")
	s.found(hosts...)
	hosts[4].Kill()
	first := s.lab.Host("3.6")
	s.boot("room-to-replace", first, "-learner=always")
	s.waitFollows(hosts[0], first)
	s.intentRunsOut(hosts[0])
	s.want(s.elastic(s.lab.Host("3.6"), "-learner=always"), 75, "full")
	s.lab.WaitHealthy(5, append(slices.Clone(hosts[:4]), first)...)
	if members := hosts[0].Members(); learners(members) != 0 {
		t.Fatalf("still a learner: %+v", members)
	}
}

// TestMoreRoom: whom a learner was to replace lives again, and the admin says
// that there may be more.
func TestMoreRoom(t *testing.T) {
	s := newSite(t, 5)
	hosts := s.lab.Hosts(5, "3.6")
	s.found(hosts...)
	hosts[4].Kill()
	fresh := s.lab.Host("3.6")
	s.boot("room-to-replace", fresh, "-learner=always")
	hosts[4].Resume()
	s.lab.WaitHealthy(6, hosts...)
	s.wantWait(s.command("promote", fresh), "promote-full")
	s.wantPromoted(s.promote(fresh, "-cluster-size=7"))
	s.lab.WaitHealthy(6, append(hosts, fresh)...)
}

// TestCutLearner: a learner has caught up and is cut off from the others, but
// not from this host. Etcd would make a voter of it.
func TestCutLearner(t *testing.T) {
	t.Parallel()
	for _, version := range withLearners {
		t.Run(version, func(t *testing.T) {
			s, n := newNetSite(t, 1)
			hosts := s.lab.Hosts(1, version)
			s.found(hosts...)
			fresh := s.lab.Host(version)
			s.boot("join-listed", fresh, "-cluster-size=2")
			for i := range 500 { // a tenth of it is more than what follows
				hosts[0].Put(fmt.Sprint("k", i), "v")
			}
			s.waitFollows(hosts[0], fresh)
			all := append(hosts, fresh)
			part(n, fresh, all, netns.Cut)
			s.wantWait(s.command("promote", fresh, "-cluster-size=2", at(all)), "promote-behind")
			s.wantQuorum(hosts...)
			part(n, fresh, all, netns.Link{})
			s.wantPromoted(s.promote(fresh, "-cluster-size=2", at(all)))
			s.lab.WaitHealthy(2, all...)
		})
	}
}
