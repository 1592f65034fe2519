package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// newFrozen founds three members and freezes one that does not lead: from 3.5
// on etcd takes it for a healthy one, and two of three is all that is left.
func newFrozen(t *testing.T, version string) (s *site, healthy []*cluster.Host, frozen *cluster.Host) {
	t.Helper()
	s = newSite(t, 3)
	hosts := s.lab.Hosts(3, version)
	s.lab.Found(hosts...)
	leader := s.lab.WaitLeader(hosts...)
	frozen = without(hosts, leader)[0]
	frozen.Freeze()
	return s, append([]*cluster.Host{leader}, without(without(hosts, leader), frozen)...), frozen
}

// at names the members, as no founder registered with the token.
func at(hosts []*cluster.Host) string {
	var urls []string
	for _, h := range hosts {
		urls = append(urls, h.ClientURL())
	}
	return "-endpoints=" + strings.Join(urls, ",")
}

// wantQuorum checks that the hosts acknowledge a write, and all of them read it.
func (s *site) wantQuorum(hosts ...*cluster.Host) {
	s.Helper()
	value := fmt.Sprint("written at ", time.Now())
	hosts[0].Put("key", value)
	for _, h := range hosts {
		s.wantKey(h, value)
	}
}

// refusals are what nobody may do beside a frozen member: each takes a majority
// of the voters after it that is not there, or removes a member that is not
// dead yet. They are tried all at once.
var refusals = [][]string{
	{"-join-strategy=add", "-cluster-size=3"},
	{"-join-strategy=add", "-cluster-size=5"},
	{"-join-strategy=add", "-cluster-size=5", "-learner=never"},
	{"-join-strategy=replace", "-dead-after=60s"},
	{"-join-strategy=replace", "-cluster-size=5", "-dead-after=60s"},
	{"-join-strategy=prune", "-dead-after=60s"},
	{"-join-strategy=prune", "-cluster-size=5", "-dead-after=60s"},
}

// TestQuorum: with one of three frozen, elastic-etcd makes no change that
// loses the quorum, and replaces the frozen member once it is dead.
func TestQuorum(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.4", "3.5", "3.6", "3.7"} {
		for _, last := range [][]string{{"-join-strategy=replace"}, {"-join-strategy=prune", "-cluster-size=5"}} {
			t.Run(version+"/"+last[0], func(t *testing.T) {
				s, healthy, frozen := newFrozen(t, version)
				if len(last) == 1 { // once for each version is enough
					s.unchanged(healthy[0], func() { s.refusedAtOnce(healthy, version) })
				}
				s.wantQuorum(healthy...)
				s.replaceFrozen(healthy, frozen, last)
			})
		}
	}
}

// refusedAtOnce runs all refusals for longer than the short window. Those with
// a long one are still watching then, and are ended.
func (s *site) refusedAtOnce(healthy []*cluster.Host, version string) {
	s.Helper()
	var short, long []*cluster.Running
	for _, refusal := range refusals {
		flags := append([]string{at(healthy), "-timeout=8s"}, refusal...)
		if !slices.Contains(refusal, "-dead-after=60s") {
			h := s.lab.Host(version)
			short = append(short, s.start(h, flags...))
			continue
		}
		h := s.lab.Host(version)
		long = append(long, s.start(h, append(flags, "-timeout=120s")...))
	}
	for _, run := range short {
		s.want(run.Wait(), 75, "full or quorum-at-risk or watch-members or join-in-flight or member-hangs")
	}
	for _, run := range long {
		s.interrupted(run)
	}
}

// interrupted ends a run that waits, and wants nothing of it.
func (s *site) interrupted(run *cluster.Running) {
	s.Helper()
	if err := syscall.Kill(run.Pid(), syscall.SIGTERM); err != nil {
		s.Fatalf("it did not wait: %v: %s", err, run.Wait())
	}
	s.want(run.Wait(), 75, "watch-members or quorum-at-risk or join-in-flight or member-hangs")
}

func (s *site) replaceFrozen(healthy []*cluster.Host, frozen *cluster.Host, how []string) {
	s.Helper()
	fresh := s.lab.Host(frozen.Version)
	s.boot("join-listed", fresh, append([]string{at(healthy)}, how...)...)
	members := append(slices.Clone(healthy), fresh)
	s.lab.WaitHealthy(3, members...)
	s.wantQuorum(members...)
	if _, listed := fresh.Membership().Of(frozen); listed {
		s.Fatalf("%s is frozen, and still a member", frozen.Name)
	}
}

// TestQuorumLost is what TestQuorum is for: etcd left to itself makes the same
// changes and has no quorum any more, except for 3.4, which notices.
func TestQuorumLost(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.4", "3.5", "3.6", "3.7"} {
		for name, change := range changes {
			t.Run(version+"/"+name, func(t *testing.T) {
				s, healthy, frozen := newFrozen(t, version)
				if version == "3.4" {
					s.waitNoticed(healthy[0], frozen)
					s.wantRefused(func(ctx context.Context) error { return change(ctx, s, healthy) })
					s.wantQuorum(healthy...)
					return
				}
				s.lab.WaitFor("etcd to take the change", func(ctx context.Context) error { return change(ctx, s, healthy) })
				s.wantNoQuorum(healthy[0])
			})
		}
	}
}

var changes = map[string]func(context.Context, *site, []*cluster.Host) error{
	"add": func(ctx context.Context, s *site, healthy []*cluster.Host) error {
		_, err := healthy[0].TryAdd(ctx, s.lab.Host(healthy[0].Version).PeerURL())
		return err
	},
	"remove": func(ctx context.Context, _ *site, healthy []*cluster.Host) error {
		list, err := healthy[0].TryMembership(ctx)
		if err != nil {
			return err
		}
		follower, _ := list.Of(healthy[1])
		return healthy[0].TryRemove(ctx, follower.ID)
	},
}

// waitNoticed waits until 3.4 counts one active peer, not two.
func (s *site) waitNoticed(h, frozen *cluster.Host) {
	s.Helper()
	m, _ := h.Membership().Of(frozen)
	active := fmt.Sprintf("Remote=%q} 0", fmt.Sprintf("%x", m.ID))
	s.lab.WaitFor("etcd to notice the frozen member", func(ctx context.Context) error {
		metrics, err := get(ctx, h.ClientURL()+"/metrics")
		if err == nil && !strings.Contains(metrics, active) {
			err = fmt.Errorf("no %s", active)
		}
		return err
	})
}

func (s *site) wantRefused(change func(context.Context) error) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	if err := change(ctx); err == nil || !strings.Contains(err.Error(), "unhealthy cluster") {
		s.Fatalf("wanted a refusal, got %v", err)
	}
}

// wantNoQuorum: no write is acknowledged within what an election takes many
// times over. (A leader of 2.3 without followers does not step down.)
func (s *site) wantNoQuorum(h *cluster.Host) {
	s.Helper()
	if !strings.HasPrefix(h.Version, "2.") {
		h.WaitNoLeader()
	}
	ctx, cancel := context.WithTimeout(s.Context(), 5*time.Second)
	defer cancel()
	if err := h.TryPut(ctx, "key", "nobody acknowledges this"); err == nil {
		s.Fatal("the quorum is there after all: this test proves nothing")
	}
}
