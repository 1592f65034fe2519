package e2e

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
	"github.com/sttts/elastic-etcd/joiner"
)

func (s *site) leave(h *cluster.Host, more ...string) cluster.Result {
	s.Helper()
	return s.command("leave", h, more...).Wait()
}

func (s *site) wantEnd(r cluster.Result, code int, reason string) {
	s.Helper()
	if r.Code != code || !strings.Contains(r.Stderr, "reason="+reason+" ") {
		s.Fatalf("want exit code %d, reason %s; got %s", code, reason, r)
	}
}

// TestLeave scales a cluster in from three to one, the leader first, and is
// refused where the quorum would be at risk.
func TestLeave(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			hosts[0].Put("key", "value")
			hosts = s.riskyLeaveIsRefused(hosts)
			for len(hosts) > 1 {
				leader := s.lab.WaitLeader(hosts...)
				s.wantEnd(s.leave(leader), 0, "leave-done")
				leader.WaitExit()
				hosts = without(hosts, leader)
				s.lab.WaitHealthy(len(hosts), hosts...)
				s.wantEnd(s.leave(leader), 0, "leave-done") // again: nothing to do
			}
			s.wantKey(hosts[0], "value")
			s.unchanged(hosts[0], func() { s.wantEnd(s.leave(hosts[0]), 78, "leave-last") })
			s.unchanged(hosts[0], func() { s.wantEnd(s.leave(hosts[0], "-data-dir="+t.TempDir(), "-name=another"), 78, "leave-unclear") })
		})
	}
}

func (s *site) riskyLeaveIsRefused(hosts []*cluster.Host) []*cluster.Host {
	s.Helper()
	hosts[2].Kill()
	s.lab.WaitLeader(hosts[0], hosts[1])
	s.unchanged(hosts[0], func() { s.wantWait(s.command("leave", hosts[1]), "quorum-at-risk") })
	hosts[2].Resume()
	s.lab.WaitHealthy(3, hosts...)
	return hosts
}

// TestLeaveByData: whoever leaves need not say where it is, and is still not
// taken for another host that says as little.
func TestLeaveByData(t *testing.T) {
	s := newSite(t, 4)
	hosts := s.lab.Hosts(4, "3.6")
	s.found(hosts...)
	s.intentRunsOut(hosts[0]) // of a founder that came late
	leave := func(h *cluster.Host) *cluster.Running {
		return s.lab.ElasticStart(cluster.Command{Args: append([]string{"leave", "-name=" + h.Name, "-data-dir=" + h.DataDir}, s.flags(h, at(hosts[:2]))...)})
	}
	for _, url := range []string{hosts[3].PeerURL(), "http://localhost:2380"} {
		s.intends(hosts[0], joiner.Intent{Name: hosts[3].Name, PeerURLs: []string{url}, Purpose: joiner.ToLeave})
		s.unchanged(hosts[0], func() { s.wantWait(leave(hosts[2]), "join-in-flight") })
	}
	s.intentRunsOut(hosts[0])
	s.wantEnd(leave(hosts[2]).Wait(), 0, "leave-done")
	if kept, err := hosts[0].Client().Get(t.Context(), joiner.IntentKey); err != nil || len(kept.Kvs) > 0 {
		t.Fatalf("its intent is still there: %v, %v", kept, err)
	}
}

// intends puts the intent of another host into a cluster.
func (s *site) intends(h *cluster.Host, i joiner.Intent) {
	s.Helper()
	value, err := json.Marshal(i)
	if err != nil {
		s.Fatal(err)
	}
	lease, err := h.Client().Grant(s.Context(), 100)
	if err == nil {
		_, err = h.Client().Put(s.Context(), joiner.IntentKey, string(value), clientv3.WithLease(lease.ID))
	}
	if err != nil {
		s.Fatal(err)
	}
}

// TestCorrupt: nobody joins a cluster whose members hold different data, by
// its own alarm; the member that is wrong can leave, and then somebody joins.
func TestCorrupt(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			fresh := s.lab.Host(version)
			s.alarm(hosts[0], pb.AlarmRequest_ACTIVATE, hosts[2])
			s.want(s.elastic(fresh, "-cluster-size=5"), 78, "alarm-corrupt")
			s.wantEnd(s.leave(hosts[2]), 0, "leave-done")
			s.alarm(hosts[0], pb.AlarmRequest_DEACTIVATE, hosts[2])
			s.intentRunsOut(hosts[0]) // one of a founder that came late could not be deleted meanwhile
			s.boot("join-listed", fresh)
			s.lab.WaitHealthy(3, hosts[0], hosts[1], fresh)
		})
	}
}

// alarm raises the alarm CORRUPT for a member, or takes it back.
func (s *site) alarm(h *cluster.Host, what pb.AlarmRequest_AlarmAction, of *cluster.Host) {
	s.Helper()
	member, listed := h.Membership().Of(of)
	if !listed && what == pb.AlarmRequest_ACTIVATE {
		s.Fatalf("%s is no member", of.Name)
	}
	s.lab.WaitFor("etcd to take the alarm", func(ctx context.Context) error {
		c := pb.NewMaintenanceClient(h.Client().ActiveConnection())
		if !listed {
			raised, err := c.Alarm(ctx, &pb.AlarmRequest{})
			if err != nil || len(raised.Alarms) == 0 {
				return err
			}
			member.ID = raised.Alarms[0].MemberID
		}
		_, err := c.Alarm(ctx, &pb.AlarmRequest{Action: what, Alarm: pb.AlarmType_CORRUPT, MemberID: member.ID})
		return err
	})
}

// TestCorruptForAll: etcd cannot tell whose data is wrong, and raises the alarm
// for no member at all.
func TestCorruptForAll(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	fresh := s.lab.Host("3.6")
	s.boot("join-listed", fresh, "-cluster-size=5", "-learner=always")
	s.waitFollows(hosts[0], fresh)
	s.lab.WaitFor("etcd to take the alarm", func(ctx context.Context) error {
		_, err := pb.NewMaintenanceClient(hosts[0].Client().ActiveConnection()).Alarm(ctx, &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, Alarm: pb.AlarmType_CORRUPT})
		return err
	})
	s.unchanged(hosts[0], func() {
		s.want(s.elastic(s.lab.Host("3.6"), "-cluster-size=7"), 78, "alarm-corrupt")
		s.wantEnd(s.promote(fresh, "-cluster-size=5"), 78, "alarm-corrupt")
	})
	if r := s.lab.Elastic("status", at(hosts)); !strings.Contains(r.Stdout, "ALARM: CORRUPT") {
		t.Errorf("status does not tell: %s", r)
	}
}

// TestLeaveCopy: a copy of a member's disk does not take the member out.
func TestLeaveCopy(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	double := s.lab.Host("3.6")
	if err := os.CopyFS(double.DataDir, os.DirFS(hosts[0].DataDir)); err != nil {
		t.Fatal(err)
	}
	s.unchanged(hosts[1], func() { s.wantEnd(s.leave(double), 78, "leave-unclear") })
}
