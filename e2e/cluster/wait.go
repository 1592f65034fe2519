package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// tryTimeout bounds one attempt inside a wait: a frozen etcd never answers.
const tryTimeout = 3 * time.Second

// WaitFor tries check until it returns nil; when that does not happen in time
// the test fails with its last error.
func (l *Lab) WaitFor(what string, check func(ctx context.Context) error) {
	l.t.Helper()
	l.WaitForWithin(patience, what, check)
}

// WaitForWithin is WaitFor with a bound of its own.
func (l *Lab) WaitForWithin(timeout time.Duration, what string, check func(ctx context.Context) error) {
	l.t.Helper()
	if err := TryWaitFor(timeout, what, check); err != nil {
		l.t.Fatalf("%v", err)
	}
}

// TryWaitFor is WaitForWithin for any goroutine.
func TryWaitFor(timeout time.Duration, what string, check func(ctx context.Context) error) error {
	for end := time.Now().Add(timeout); ; time.Sleep(pollEvery) {
		ctx, cancel := context.WithTimeout(context.Background(), min(tryTimeout, timeout))
		err := check(ctx)
		cancel()
		if err == nil {
			return nil
		}
		var hopeless hopelessError
		if errors.As(err, &hopeless) {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if time.Now().After(end) {
			return fmt.Errorf("wait for %s: not after %v: %w", what, timeout, err)
		}
	}
}

// giveUp makes a check's error the last one: waiting longer would not help.
func giveUp(err error) error { return hopelessError{err} }

type hopelessError struct{ error }

func (e hopelessError) Unwrap() error { return e.error }

// WaitHealthy waits until the cluster has that many members, all started, with
// a leader, and each of the hosts, running in that one cluster, serves
// linearizable reads.
func (l *Lab) WaitHealthy(members int, hosts ...*Host) {
	l.t.Helper()
	l.WaitFor(fmt.Sprintf("%d healthy members", members), func(ctx context.Context) error {
		return CheckHealthy(ctx, members, hosts...)
	})
}

// CheckHealthy says what WaitHealthy still waits for. It asks all hosts at once:
// on a busy machine the time of one try is short for nine of them, one after the
// other.
func CheckHealthy(ctx context.Context, members int, hosts ...*Host) error {
	lists, errs := make([]Membership, len(hosts)), make([]error, len(hosts))
	var asked sync.WaitGroup
	for i, h := range hosts {
		asked.Go(func() { lists[i], errs[i] = h.serving(ctx) })
	}
	asked.Wait()
	for i, h := range hosts {
		if errs[i] != nil {
			return errs[i]
		}
		if err := checkSame(h, lists[i], lists[0]); err != nil {
			return err
		}
		if err := checkMembers(h, members, lists[i]); err != nil {
			return err
		}
	}
	return nil
}

// serving is the membership as a serving member sees it. It fails for good
// where etcd has ended: it does not come back by itself.
func (h *Host) serving(ctx context.Context) (Membership, error) {
	if !h.Running() {
		return Membership{}, giveUp(fmt.Errorf("etcd on %s does not run", h.Name))
	}
	return ask(h, func(a api) (Membership, error) {
		if err := checkServing(ctx, a); err != nil {
			return Membership{}, err
		}
		return a.membership(ctx)
	})
}

func checkServing(ctx context.Context, a api) error {
	status, err := a.status(ctx)
	if err != nil {
		return err
	}
	if status.Leader == 0 {
		return errors.New("it knows no leader")
	}
	if status.Learner {
		return errors.New("it is a learner")
	}
	_, _, err = a.get(ctx, "elastic-etcd-health")
	return err
}

func checkSame(h *Host, list, first Membership) error {
	if list.ClusterID != first.ClusterID {
		return fmt.Errorf("%s is in cluster %x, not %x", h.Name, list.ClusterID, first.ClusterID)
	}
	return nil
}

func checkMembers(h *Host, members int, list Membership) error {
	if len(list.Members) != members {
		return fmt.Errorf("%s lists %d members, not %d", h.Name, len(list.Members), members)
	}
	for _, m := range list.Members {
		if len(m.ClientURLs) == 0 {
			return fmt.Errorf("%s lists member %x, not started", h.Name, m.ID)
		}
	}
	_, listed := list.Of(h)
	if !listed {
		return fmt.Errorf("%s is not in its own member list", h.Name)
	}
	return nil
}

// WaitMembers waits until the member list that the host serves is as wanted.
func (h *Host) WaitMembers(what string, wanted func(Membership) bool) Membership {
	h.lab.t.Helper()
	var list Membership
	h.lab.WaitFor(what, func(ctx context.Context) (err error) {
		list, err = h.TryMembership(ctx)
		if err == nil && !wanted(list) {
			err = fmt.Errorf("%s lists %v", h.Name, list.Members)
		}
		return err
	})
	return list
}

// WaitLeader waits until all the hosts agree on a leader among them.
func (l *Lab) WaitLeader(hosts ...*Host) *Host {
	l.t.Helper()
	var leader *Host
	l.WaitFor("a leader", func(ctx context.Context) (err error) {
		leader, err = findLeader(ctx, hosts)
		return err
	})
	return leader
}

func findLeader(ctx context.Context, hosts []*Host) (*Host, error) {
	var leader *Host
	var id uint64
	for _, h := range hosts {
		status, err := h.TryStatus(ctx)
		if err != nil {
			return nil, err
		}
		if id != 0 && status.Leader != id {
			return nil, fmt.Errorf("leader is %x to one, %x to %s", id, status.Leader, h.Name)
		}
		if id = status.Leader; status.MemberID == id {
			leader = h
		}
	}
	if leader == nil {
		return nil, fmt.Errorf("leader %x is none of the hosts", id)
	}
	return leader, nil
}

// WaitNoLeader waits until the host's etcd answers and knows no leader: the
// quorum is gone.
func (h *Host) WaitNoLeader() {
	h.lab.t.Helper()
	h.lab.WaitFor(h.Name+" to have no leader", func(ctx context.Context) error {
		status, err := h.TryStatus(ctx)
		if err == nil && status.Leader != 0 {
			err = fmt.Errorf("the leader is %x", status.Leader)
		}
		return err
	})
}
