package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// logged waits for a text on a run's standard error.
func logged(run *cluster.Running, text string) func(context.Context) error {
	return func(context.Context) error {
		if !strings.Contains(run.Log(), text) {
			return fmt.Errorf("%q is not in its log yet", text)
		}
		return nil
	}
}

// start starts elastic-etcd on a host.
func (s *site) start(h *cluster.Host, more ...string) *cluster.Running {
	s.Helper()
	return h.ElasticStart(append([]string{"-o=flags"}, s.flags(h, more...)...)...)
}

// firstToEnd waits until one of some runs has ended, and gives its number.
func (s *site) firstToEnd(runs []*cluster.Running) (first int) {
	s.Helper()
	s.lab.WaitFor("one of the runs to end", func(context.Context) error {
		first = slices.IndexFunc(runs, func(r *cluster.Running) bool { return !r.Running() })
		if first < 0 {
			return errors.New("all run")
		}
		return nil
	})
	return first
}

// wantWait wants a run to wait for this reason, and ends it then: for how long
// it would have waited is no matter of a test.
func (s *site) wantWait(run *cluster.Running, reason string) cluster.Result {
	s.Helper()
	s.waits(run, reason)
	_ = syscall.Kill(run.Pid(), syscall.SIGTERM) // it may have ended
	r := run.Wait()
	s.want(r, 75, reason)
	return r
}

// waits tells whether a run waits for this reason, as soon as it does, or has
// ended.
func (s *site) waits(run *cluster.Running, reason string) bool {
	s.Helper()
	says := logged(run, "reason="+reason+" ")
	s.lab.WaitFor("a run to wait: "+reason, func(ctx context.Context) error {
		if !run.Running() {
			return nil
		}
		return says(ctx)
	})
	return run.Running()
}
