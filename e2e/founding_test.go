package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestSurplusHosts: more hosts than places, all at once. Exactly size of them
// are members, and the others say why they are not.
func TestSurplusHosts(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(6, "3.6")
	var runs []*cluster.Running
	for _, h := range hosts {
		runs = append(runs, s.start(h))
	}
	members := s.members(hosts, runs)
	if len(members) != 3 {
		t.Fatalf("%d hosts found the cluster", len(members))
	}
	s.lab.WaitHealthy(3, members...)
	if n := len(members[0].Members()); n != 3 {
		t.Fatalf("%d members", n)
	}
}

// TestFoundWithPlainEtcd: hosts that run plain etcd and hosts that run
// elastic-etcd found one cluster under one discovery URL, whoever comes first.
func TestFoundWithPlainEtcd(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.4", "3.5", "3.6"} {
		for _, plainFirst := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/plain first %t", version, plainFirst), func(t *testing.T) {
				s := newSite(t, 3)
				hosts := s.lab.Hosts(3, version)
				startPlain := func() { hosts[0].Start(append(hosts[0].IdentityFlags(), "--discovery="+s.token)...) }
				if plainFirst {
					startPlain()
					s.waitRegistered(1)
				}
				runs := []*cluster.Running{s.start(hosts[1]), s.start(hosts[2])}
				if !plainFirst {
					s.waitRegistered(2)
					startPlain()
				}
				for i, run := range runs {
					r := run.Wait()
					s.want(r, 0, founding)
					hosts[i+1].StartWith(r.Stdout)
				}
				s.lab.WaitHealthy(3, hosts...)
			})
		}
	}
}

func (s *site) waitRegistered(n int) {
	s.Helper()
	s.lab.WaitFor(fmt.Sprintf("%d registrations", n), func(ctx context.Context) error {
		body, err := get(ctx, s.token)
		if err == nil && strings.Count(body, `"value"`) < n {
			err = fmt.Errorf("registered so far: %s", body)
		}
		return err
	})
}

// TestFoundersOneByOne: a first founder already runs its etcd, without a
// quorum, when the others come.
func TestFoundersOneByOne(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	var outputs []string
	var runs []*cluster.Running
	for _, h := range hosts {
		runs = append(runs, s.start(h))
	}
	for _, run := range runs {
		r := run.Wait()
		s.want(r, 0, founding)
		outputs = append(outputs, r.Stdout)
	}
	hosts[0].StartWith(outputs[0])
	s.lab.WaitFor("the first founder to answer", func(ctx context.Context) error {
		_, err := get(ctx, hosts[0].PeerURL()+"/members")
		return err
	})
	s.boot(founding, hosts[1]) // a second run, after the crash of the first one
	s.lab.WaitLeader(hosts[0], hosts[1])
	s.boot("join-listed", hosts[2]) // by then there is a quorum
	s.lab.WaitHealthy(3, hosts...)
}

// TestWipedFounder: all are down, one lost its disk. It must not found again,
// or it would outvote what it once acknowledged.
func TestWipedFounder(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			hosts[0].Put("key", "acknowledged")
			for _, h := range hosts {
				h.Kill()
			}
			hosts[0].Wipe()
			s.wantWait(s.start(hosts[0]), "founder-lost-disk")
			s.boot("resume-unconfirmed", hosts[1])
			s.wantWait(s.start(hosts[0]), "founder-lost-disk")
			s.boot("resume-unconfirmed", hosts[2])
			s.lab.WaitLeader(hosts[1], hosts[2])
			s.boot("join-listed", hosts[0])
			s.lab.WaitHealthy(3, hosts...)
			s.wantKey(hosts[0], "acknowledged")
		})
	}
}

// TestPartlyWiped: a part of the data dir is gone, and the founder record
// beside it is still there. Nobody knows what the log held, so nobody founds.
func TestPartlyWiped(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			hosts[0].Put("key", "acknowledged")
			for _, h := range hosts {
				h.Kill()
			}
			removeAll(t, hosts[0].DataDir+"/member")
			removeAll(t, hosts[1].DataDir+"/member/wal")
			removeAll(t, hosts[1].DataDir+"/member/snap")
			removeAll(t, hosts[2].DataDir+"/member/wal")
			for _, h := range hosts[:2] {
				s.wantWait(s.start(h), "founder-lost-disk")
			}
			run := s.start(hosts[2])
			if s.waits(run, "founder-lost-disk") {
				s.wantWait(run, "founder-lost-disk")
			} else { // etcd left a snapshot of one that ran
				s.want(run.Wait(), 78, "data-damaged")
			}
		})
	}
}

// TestFailedFirstStart: etcd left files behind but no WAL, so the founder
// never ran.
func TestFailedFirstStart(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			runs := []*cluster.Running{}
			for _, h := range hosts {
				runs = append(runs, s.start(h))
			}
			for i, run := range runs {
				r := run.Wait()
				s.want(r, 0, founding)
				if i > 0 {
					hosts[i].StartWith(r.Stdout)
					continue
				}
				hosts[0].StartWith(r.Stdout, "--initial-cluster-state=existing") // a mistake: nobody answers
				if code := hosts[0].WaitExit(); code == 0 {
					t.Fatal("etcd was meant to fail")
				}
			}
			s.lab.WaitLeader(hosts[1], hosts[2])
			s.boot("join-listed", hosts[0])
			s.lab.WaitHealthy(3, hosts...)
		})
	}
}
