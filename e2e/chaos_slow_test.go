package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestSlow: a member that hangs for most of every second is slow, and a slow
// one is not dead, however short the window is.
func TestSlow(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.lab.Found(hosts...)
			slow, others := s.victim(hosts, false)
			load := s.startLoad(others)
			s.unchanged(others[0], func() { s.refusedBeside(slow, others) })
			s.lab.WaitHealthy(3, hosts...)
			load.end(hosts...)
		})
	}
}

// refusedBeside lets hosts try for several windows.
func (s *site) refusedBeside(slow *cluster.Host, others []*cluster.Host) {
	s.Helper()
	defer s.stutter(slow)()
	for range 3 {
		s.refusedNow(others)
	}
}

// refusedNow lets two hosts try that would remove a dead member.
func (s *site) refusedNow(others []*cluster.Host) {
	s.Helper()
	var runs []*cluster.Running
	for _, strategy := range []string{"replace", "prune"} {
		fresh := s.lab.Host(others[0].Version)
		runs = append(runs, s.start(fresh, at(others), "-dead-after=2s", "-timeout=6s", "-join-strategy="+strategy))
	}
	for _, run := range runs {
		s.want(run.Wait(), 75, "full or watch-members")
	}
}

// stutter freezes and thaws an etcd all the time, until the returned function
// is called.
func (s *site) stutter(h *cluster.Host) (end func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer h.Etcd().TryThaw()
		for {
			_ = h.Etcd().TryFreeze()
			if waitOr(stop, 700*time.Millisecond) {
				return
			}
			_ = h.Etcd().TryThaw()
			ctx, cancel := context.WithTimeout(s.Context(), time.Second)
			_, _ = h.TryStatus(ctx) // it lives: it gets as far as to answer
			cancel()
		}
	}()
	return func() { close(stop); <-ended }
}

// waitOr lets time pass, and says whether it was cut short.
func waitOr(stop <-chan struct{}, d time.Duration) bool {
	select {
	case <-stop:
		return true
	case <-time.After(d):
		return false
	}
}
