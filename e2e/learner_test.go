package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// withLearners are the versions that know learners.
var withLearners = []string{"3.4", "3.5", "3.6", "3.7"}

// promote runs the promotion of a host whose etcd runs.
func (s *site) promote(h *cluster.Host, more ...string) cluster.Result {
	s.Helper()
	return s.command("promote", h, more...).Wait()
}

// wantPromoted checks the end of a promotion, which prints nothing.
func (s *site) wantPromoted(r cluster.Result) {
	s.Helper()
	if r.Code != 0 || !strings.Contains(r.Stderr, "reason=promote-done ") {
		s.Fatalf("want exit code 0, reason promote-done; got %s", r)
	}
}

func learners(members []cluster.Member) int {
	n := 0
	for _, m := range members {
		if m.Learner {
			n++
		}
	}
	return n
}

// TestLearners grows a cluster from one member to three by learners. The old
// member serves all the time, also while the newcomer does not start.
func TestLearners(t *testing.T) {
	t.Parallel()
	for _, version := range withLearners {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 1)
			hosts := s.lab.Hosts(1, version)
			s.found(hosts...)
			for range 2 {
				fresh := s.lab.Host(version)
				r := s.elastic(fresh, "-cluster-size=3", "-learner=always")
				s.want(r, 0, "join-listed")
				hosts[0].Put("key", "while the newcomer is down")
				fresh.StartWith(r.Stdout)
				s.wantPromoted(s.promote(fresh))
				hosts = append(hosts, fresh)
				s.lab.WaitHealthy(len(hosts), hosts...)
				if members := hosts[0].Members(); learners(members) != 0 {
					t.Fatalf("still a learner: %+v", members)
				}
				s.wantKey(fresh, "while the newcomer is down")
			}
			s.wantPromoted(s.promote(hosts[0])) // nothing to do
		})
	}
}

// TestSecondMember: from one to two goes by a learner without being asked to.
func TestSecondMember(t *testing.T) {
	s := newSite(t, 1)
	hosts := s.lab.Hosts(1, "3.6")
	s.found(hosts...)
	fresh := s.lab.Host("3.6")
	s.unchanged(hosts[0], func() {
		s.want(s.elastic(fresh, "-cluster-size=2", "-learner=never"), 78, "one-to-two")
	})
	s.boot("join-listed", fresh, "-cluster-size=2")
	s.wantPromoted(s.promote(fresh))
	s.lab.WaitHealthy(2, hosts[0], fresh)
}

// TestLearnerReplaces: in a full cluster of three the dead member goes first.
func TestLearnerReplaces(t *testing.T) {
	t.Parallel()
	for _, version := range withLearners {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			hosts[2].Kill()
			fresh := s.lab.Host(version)
			s.boot("join-listed", fresh, "-learner=always")
			s.wantPromoted(s.promote(fresh))
			s.lab.WaitHealthy(3, hosts[0], hosts[1], fresh)
		})
	}
}

// TestLearnerBeside: in a cluster of five the newcomer is added beside the
// dead member, which goes when it has caught up. Here the dead one comes back
// meanwhile: nothing was lost, and the newcomer stays a learner until that one
// is dead for good. Nobody says how many members there are to be, and the
// newcomer's etcd takes longer to start than the intent lasts.
func TestLearnerBeside(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 5)
			hosts := s.lab.Hosts(5, version)
			s.found(hosts...)
			hosts[4].Kill()
			fresh := s.lab.Host(version)
			s.token = ""
			s.planned(fresh, "remove full-dead", at(hosts))
			s.planned(fresh, "add room-to-replace", at(hosts), "--promotes")
			r := s.elastic(fresh, at(hosts), "-learner=always")
			s.want(r, 0, "room-to-replace")
			s.intentRunsOut(hosts[0])
			if members := hosts[0].Members(); len(members) != 6 || learners(members) != 1 {
				t.Fatalf("want five voters and a learner: %+v", members)
			}
			fresh.StartWith(r.Stdout)
			hosts[4].Resume()
			s.lab.WaitHealthy(6, hosts...)
			run := s.command("promote", fresh, at(hosts))
			s.lab.WaitFor("the promotion to wait", logged(run, "reason=promote-full"))
			hosts[4].Kill()
			s.wantPromoted(run.Wait())
			s.lab.WaitHealthy(5, append(slices.Clone(hosts[:4]), fresh)...)
		})
	}
}

// planned wants a step in what elastic-etcd plan shows.
func (s *site) planned(h *cluster.Host, step string, more ...string) {
	s.Helper()
	if steps, _ := s.plan(h, more...); !slices.Contains(steps, step) {
		s.Fatalf("plan %q: %q, want %s", more, steps, step)
	}
}

// TestJoinInFlight: a host whose etcd has not started yet is waited for; one
// that never starts is cleared away once its intent has run out.
func TestJoinInFlight(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.4", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			first, second := s.lab.Host(version), s.lab.Host(version)
			r := s.elastic(first, "-cluster-size=5")
			s.want(r, 0, "join-listed")
			run := s.start(second, "-cluster-size=5")
			s.lab.WaitFor("the second host to wait for the first", logged(run, "reason=join-in-flight"))
			first.StartWith(r.Stdout)
			then := run.Wait()
			s.want(then, 0, "join-listed")
			second.StartWith(then.Stdout)
			s.lab.WaitHealthy(5, append(hosts, first, second)...)
		})
	}
}

// TestJoinAbandoned: a host that is added and never starts is cleared away
// when its intent has run out and it was silent for a whole window after that.
func TestJoinAbandoned(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	hosts[2].Kill()
	s.want(s.elastic(s.lab.Host("3.6")), 0, "join-listed") // and is never seen again
	fresh := s.lab.Host("3.6")
	run := s.lab.ElasticStart(cluster.Command{Args: append(fresh.IdentityFlags(), s.flags(fresh, "-o=flags", "-timeout=240s")...), Timeout: 5 * time.Minute})
	s.lab.WaitFor("the join in flight to be waited for", logged(run, "reason=join-in-flight "))
	r := run.Wait()
	s.want(r, 0, "full-dead")
	fresh.StartWith(r.Stdout)
	s.lab.WaitHealthy(3, hosts[0], hosts[1], fresh)
}

// TestDeadLearnerOfOne: a learner that never came up beside the only voter
// keeps nobody else out.
func TestDeadLearnerOfOne(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.4", "3.6"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 1)
			hosts := s.lab.Hosts(1, version)
			s.found(hosts...)
			s.want(s.elastic(s.lab.Host(version), "-cluster-size=3"), 0, "join-listed")
			if _, err := hosts[0].Client().Delete(t.Context(), "_elastic-etcd/intent"); err != nil { // its lease is over
				t.Fatal(err)
			}
			second := s.lab.Host(version)
			s.boot("join-listed", second, "-cluster-size=3")
			s.wantPromoted(s.promote(second, "-cluster-size=3"))
			s.lab.WaitHealthy(2, hosts[0], second)
		})
	}
}

// TestPlanTouchesNothing: neither the members, nor the keys, nor the discovery
// service know that a plan was made, whatever it would do.
func TestPlanTouchesNothing(t *testing.T) {
	t.Parallel()
	for _, version := range withLearners {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			hosts[2].Kill()
			s.intentRunsOut(hosts[0]) // that of a founder which came late, or it does so meanwhile
			revision, registered := hosts[0].Revision(), s.disco.Dump(s.token)
			s.unchanged(hosts[0], func() {
				for _, strategy := range []string{"prepare", "add", "replace", "prune"} {
					s.plan(s.lab.Host(version), "-join-strategy="+strategy, "-learner=always")
				}
			})
			if now := hosts[0].Revision(); now != revision {
				t.Fatalf("the keys are at revision %d, and were at %d", now, revision)
			}
			if now := s.disco.Dump(s.token); now != registered {
				t.Fatalf("the discovery service has %s, and had %s", now, registered)
			}
		})
	}
}
