package etcdstore

import (
	"context"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// watchPause is how long a watch that failed is let be.
const watchPause = 500 * time.Millisecond

// Wait implements server.Store. It subscribes before it looks, so that no
// change falls in between.
func (s *Store) Wait(ctx context.Context, token string, after uint64) error {
	changed, stop := s.changes.Subscribe(token)
	defer stop()
	for {
		index, err := s.index(ctx, token)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || index > after {
			return wrap("wait for discovery token", err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch wakes those who wait, for all tokens by one watch.
func (s *Store) watch(ctx context.Context) {
	for {
		s.watchOnce(ctx)
		if !pause(ctx, watchPause) {
			return
		}
		// A login that has expired is renewed by a request that is no watch.
		_, _ = s.index(ctx, "")
	}
}

// watchOnce watches until that fails, as it does without a leader. What came
// before it began is not seen, so everybody has to look then.
func (s *Store) watchOnce(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := s.login.get(ctx)
	if err != nil {
		return
	}
	prefix := tokenKey("")
	for resp := range client.Watch(clientv3.WithRequireLeader(ctx), prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify()) {
		if resp.Err() != nil {
			return
		}
		if resp.Created {
			s.changes.NotifyAll()
		}
		for _, e := range resp.Events {
			s.changes.Notify(strings.TrimPrefix(string(e.Kv.Key), prefix))
		}
	}
}
