package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// ErrLogin is of a user that the etcd does not know, or with another password.
var ErrLogin = errors.New("refused")

// loginPause is how long an etcd is let be that did not let us in.
const loginPause = time.Second

// login is a client that has said who it is. client/v3 does so when it is made,
// and fails where the etcd is down: so it is made in the background, again and
// again, and whoever needs it waits.
type login struct {
	mu     sync.Mutex // of what follows
	client *clientv3.Client
	err    error         // why there is none
	told   chan struct{} // closed when there is something new
}

// open tries to make the client until it is there, or the context ends.
func (l *login) open(ctx context.Context, conf clientv3.Config) {
	conf.Context = ctx
	for {
		client, err := clientv3.New(conf)
		l.tell(client, refusal(conf.Username, err))
		if err == nil || !pause(ctx, loginPause) {
			return
		}
	}
}

// refusal is nil where there is none yet: of who does not answer.
func refusal(user string, err error) error {
	switch {
	case err == nil || passes(err):
		return nil
	case errors.Is(err, rpctypes.ErrAuthFailed):
		err = fmt.Errorf("%w: %w", ErrLogin, err)
	}
	return fmt.Errorf("log in to etcd as %q: %w", user, err)
}

func (l *login) tell(client *clientv3.Client, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.client, l.err = client, err
	close(l.told)
	l.told = make(chan struct{})
}

func (l *login) state() (*clientv3.Client, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client, l.told, l.err
}

// get waits for the client, unless the etcd has refused us.
func (l *login) get(ctx context.Context) (*clientv3.Client, error) {
	for {
		client, told, err := l.state()
		if client != nil || err != nil {
			return client, err
		}
		select {
		case <-told:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
