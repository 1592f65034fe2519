package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// seenStatus is what status -o json shows.
type seenStatus struct {
	Quorum                     bool
	Voters, Healthy, Tolerance int
	Leader, Self, Data         string
	Members                    []seenMember
}

type seenMember struct {
	ID, Name, Role, Stalled string
	Self, Started, Healthy  bool
	Refused                 bool
	Following               *bool
	Reached, Version        string
	Lag, Unapplied          *uint64
	DBSize                  int64 `json:"db_size"`
	DBInUse                 int64 `json:"db_in_use"`
	Alarms                  []string
}

// of finds a host's member.
func (s seenStatus) of(h *cluster.Host) seenMember {
	i := slices.IndexFunc(s.Members, func(m seenMember) bool { return m.Name == h.Name })
	if i < 0 {
		return seenMember{}
	}
	return s.Members[i]
}

func (s *site) statusRun(h *cluster.Host, format string, more ...string) cluster.Result {
	s.Helper()
	return s.command("status", h, append([]string{"-o=" + format}, more...)...).Wait()
}

func (s *site) status(h *cluster.Host, more ...string) (seenStatus, cluster.Result) {
	s.Helper()
	r := s.statusRun(h, "json", more...)
	var out seenStatus
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil && r.Stdout != "" {
		s.Fatalf("status: %v: %s", err, r)
	}
	return out, r
}

// waitStatus waits for a status: the leader needs a moment to notice things.
func (s *site) waitStatus(h *cluster.Host, code, healthy, tolerance int, more ...string) seenStatus {
	s.Helper()
	var seen seenStatus
	s.lab.WaitFor("the status to be right", func(context.Context) error {
		var r cluster.Result
		if seen, r = s.status(h, more...); r.Code != code || seen.Healthy != healthy || seen.Tolerance != tolerance {
			return errors.New(r.String())
		}
		return nil
	})
	return seen
}

// waitMember waits until one of three is shown as it should be, and the others
// as healthy.
func (s *site) waitMember(h, of *cluster.Host, wanted func(seenMember) bool) {
	s.Helper()
	s.lab.WaitFor("the status of "+of.Name+" to be right", func(context.Context) error {
		seen, r := s.status(h)
		m := seen.of(of)
		if r.Code != 3 || seen.Healthy != 2 || seen.Tolerance != 0 || m.Following == nil || *m.Following || !wanted(m) {
			return errors.New(r.String())
		}
		return nil
	})
}

// TestStatus looks at a cluster in health, with a member that hangs, with one
// that is gone, and without a quorum.
func TestStatus(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			s.wantHealthyStatus(hosts[0], s.waitStatus(hosts[0], 0, 3, 1))
			s.unchanged(hosts[0], func() { s.wantVerdict(hosts[0], 0, "3 of 3 voters healthy: one may fail") })
			victim := without(hosts, s.lab.WaitLeader(hosts...))[0]
			rest := without(hosts, victim)
			s.frozenStatus(rest[0], victim)
			victim.Thaw()
			s.waitStatus(hosts[0], 0, 3, 1)
			s.killedStatus(rest[0], victim)
			rest[0].Kill()
			s.statusWithoutQuorum(rest[1], version)
		})
	}
}

func (s *site) wantHealthyStatus(self *cluster.Host, seen seenStatus) {
	s.Helper()
	leaders := 0
	for _, m := range seen.Members {
		if m.Role == "leader" && m.ID == seen.Leader {
			leaders++
		}
		if !m.Healthy || !m.Started || m.Reached == "" || m.Lag == nil || *m.Lag != 0 || m.Version != self.Version || m.Self != (m.Name == self.Name) {
			s.Fatalf("a healthy member is shown as %+v", m)
		}
		if v2 := strings.HasPrefix(self.Version, "2."); v2 != (m.DBSize == 0) || v2 != (m.DBInUse == 0) || v2 != (m.Unapplied == nil) || v2 != (m.Alarms == nil) {
			s.Fatalf("what its server tells is shown as %+v", m)
		}
	}
	if leaders != 1 || len(seen.Members) != 3 || !seen.Quorum || seen.Data != "member" || seen.Self != seen.of(self).ID {
		s.Fatalf("want a quorum, three members, one leader, one member here: %+v", seen)
	}
}

// wantVerdict checks the last line.
func (s *site) wantVerdict(h *cluster.Host, code int, verdict string, more ...string) cluster.Result {
	s.Helper()
	r := s.statusRun(h, "text", more...)
	if r.Code != code || !strings.HasSuffix(r.Stdout, "\n"+verdict+"\n") {
		s.Fatalf("want code %d and in the end %q: %s", code, verdict, r)
	}
	return r
}

const noneLeft = "2 of 3 voters healthy: no fault tolerance left: the next voter that fails takes the quorum"

// frozenStatus: from 3.5 on, etcd itself takes a frozen member for a healthy one.
func (s *site) frozenStatus(h, victim *cluster.Host) {
	s.Helper()
	victim.Freeze()
	s.waitMember(h, victim, func(m seenMember) bool {
		return !m.Healthy && m.Reached == "" && !m.Refused && m.Lag != nil && *m.Lag > 0 && m.Stalled != "0s" && m.Version == ""
	})
	if r := s.wantVerdict(h, 3, noneLeft); !strings.Contains(r.Stdout, "not answering, log stands still, ") {
		s.Fatalf("a frozen member: %s", r)
	}
}

func (s *site) killedStatus(h, victim *cluster.Host) {
	s.Helper()
	victim.Kill()
	s.waitMember(h, victim, func(m seenMember) bool { return !m.Healthy && m.Reached == "" && m.Refused })
	if r := s.wantVerdict(h, 3, noneLeft); !strings.Contains(r.Stdout, "refuses connections, log stands still, ") {
		s.Fatalf("a dead member: %s", r)
	}
}

func (s *site) statusWithoutQuorum(last *cluster.Host, version string) {
	s.Helper()
	if version != "2.3.8" { // its leader leads on for ever
		last.WaitNoLeader()
	}
	seen, r := s.status(last)
	if r.Code != 75 || seen.Quorum || seen.Healthy != 1 || seen.Tolerance != -1 || len(seen.Members) != 3 || !strings.Contains(r.Stderr, "no quorum") {
		s.Fatalf("without a quorum: %s", r)
	}
	if m := seen.of(last); m.Reached == "" || m.Version != last.Version || !m.Healthy {
		s.Fatalf("the last one that answers is shown as %+v", m)
	}
	s.wantVerdict(last, 75, "NO QUORUM: 1 of 3 voters answer this host, and 2 must agree")
	last.Kill()
	if r := s.statusRun(last, "text"); r.Code != 75 || r.Stdout != "" || !strings.Contains(r.Stderr, "no member answers") {
		s.Fatalf("nobody answers: %s", r)
	}
}

// TestStatusNewcomers: one voter alone, a learner that runs, an entry that
// never starts.
func TestStatusNewcomers(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 1)
			hosts := s.lab.Hosts(1, version)
			s.found(hosts...)
			s.waitStatus(hosts[0], 3, 1, 0)
			s.wantVerdict(hosts[0], 3, "1 of 1 voter healthy: no fault tolerance: a cluster of 1 never has any")
			if strings.HasPrefix(version, "2.") {
				return // it has no learners, and a second entry takes its quorum
			}
			learner := s.lab.Host(version)
			s.boot("join-listed", learner, "-cluster-size=3", "-learner=always")
			s.learnerStatus(hosts[0], learner)
			s.wantPromoted(s.promote(learner))
			s.unstartedStatus(learner, s.lab.Host(version))
		})
	}
}

func (s *site) learnerStatus(voter, learner *cluster.Host) {
	s.Helper()
	s.lab.WaitFor("the learner to be shown", func(context.Context) error {
		seen, r := s.status(voter)
		m := seen.of(learner)
		if r.Code != 3 || seen.Voters != 1 || seen.Healthy != 1 || m.Role != "learner" || !m.Started || !m.Healthy || m.Version != learner.Version || m.DBSize == 0 {
			return fmt.Errorf("%s", r)
		}
		return nil
	})
	if r := s.statusRun(voter, "text"); !strings.Contains(r.Stdout, "\n\""+learner.Name+"\" is changing the membership (join), for ") {
		s.Fatalf("the learner's intent is not shown: %s", r)
	}
}

func (s *site) unstartedStatus(h, never *cluster.Host) {
	s.Helper()
	h.Add(never.PeerURL())
	seen := s.waitStatus(h, 3, 2, 0)
	i := slices.IndexFunc(seen.Members, func(m seenMember) bool { return !m.Started })
	if seen.Voters != 3 || i < 0 || seen.Members[i].Healthy || seen.Members[i].Role != "voter" {
		s.Fatalf("an entry that never started: %+v", seen)
	}
	if r := s.wantVerdict(h, 3, noneLeft); !strings.Contains(r.Stdout, "unstarted voter") || !strings.Contains(r.Stdout, "never started") {
		s.Fatalf("an entry that never started: %s", r)
	}
}

// TestStatusAlarm: a full database raises an alarm, which takes nobody's vote.
func TestStatusAlarm(t *testing.T) {
	t.Parallel()
	for _, version := range withLearners { // etcd 2.3 has no alarms
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 1)
			h := s.lab.Host(version)
			r := s.elastic(h)
			s.want(r, 0, "found")
			h.StartWith(r.Stdout, "--quota-backend-bytes=65536")
			s.lab.WaitHealthy(1, h)
			s.fill(h)
			seen := s.waitStatus(h, 3, 1, 0)
			if m := seen.of(h); !slices.Equal(m.Alarms, []string{"NOSPACE"}) || m.DBSize == 0 || m.DBInUse > m.DBSize {
				s.Fatalf("a full member is shown as %+v", m)
			}
			s.wantVerdict(h, 3, "1 of 1 voter healthy: no fault tolerance: a cluster of 1 never has any; ALARM: NOSPACE")
		})
	}
}

// fill writes until there is no space.
func (s *site) fill(h *cluster.Host) {
	s.Helper()
	value := strings.Repeat("x", 16<<10)
	for i := range 100 {
		ctx, cancel := context.WithTimeout(s.Context(), 15*time.Second)
		err := h.TryPut(ctx, fmt.Sprint("key", i), value)
		cancel()
		if err != nil && strings.Contains(err.Error(), "space exceeded") {
			return
		}
	}
	s.Fatal("there is still space")
}

// TestStatusElsewhere: who is no member looks by -endpoints alone, with TLS and
// a user; data of another cluster is not hidden.
func TestStatusElsewhere(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			lab.Secure()
			hosts := lab.Hosts(3, version)
			lab.Found(hosts...)
			other := lab.Host(version)
			lab.Found(other)
			hosts[0].EnableAuth()
			certs := lab.Certs("nobody", "127.0.0.1")
			look := func(more ...string) cluster.Result {
				return lab.Elastic(append([]string{"status", "-endpoints=" + hosts[1].ClientURL(), "-cacert=" + certs.CA, "-cert=" + certs.Cert, "-key=" + certs.Key}, more...)...)
			}
			want := func(r cluster.Result, code int, stdout string) {
				t.Helper()
				if r.Code != code || !strings.Contains(r.Stdout, stdout) {
					t.Fatalf("want code %d, %q: %s", code, stdout, r)
				}
			}
			want(look(as(t, cluster.Root)...), 0, "\n\n3 of 3 voters healthy: one may fail\n")
			if !strings.HasPrefix(version, "2.") { // whose reader may read no key at all
				want(look(as(t, cluster.Reader)...), 0, "\n3 of 3 voters healthy: one may fail\n")
			}
			want(look(append(as(t, cluster.Root), "-data-dir="+other.DataDir)...), 78, "is of ANOTHER cluster")
		})
	}
}

// TestStatusBarred: a cluster that does not let this host in is not said to be
// without a quorum, and nothing is shown of it.
func TestStatusBarred(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.5", "3.6", "3.7"} { // older ones show a stranger what status shows
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 1)
			h := s.lab.Host(version)
			s.found(h)
			h.EnableAuth()
			if r := s.statusRun(h, "text"); r.Code != 78 || r.Stdout != "" || !strings.Contains(r.Stderr, "no user is given") {
				t.Fatalf("without a user: %s", r)
			}
			s.wantVerdict(h, 3, "1 of 1 voter healthy: no fault tolerance: a cluster of 1 never has any", as(t, cluster.Root)...)
		})
	}
}
