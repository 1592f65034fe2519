package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// tryTime bounds one try: a member that hangs is one of several.
	tryTime = 3 * time.Second

	// tryPause is how long a cluster is let be that takes nothing just now.
	tryPause = 100 * time.Millisecond

	// explainTime is added to what failed already.
	explainTime = 200 * time.Millisecond
)

// again tries f, each time for tryTime, until it is answered or ctx ends. It
// gives the last error then.
func again(ctx context.Context, f func(context.Context) error) error {
	for {
		err := try(ctx, f)
		switch {
		case errors.Is(err, errMoved) && ctx.Err() == nil:
			continue
		case !passes(err):
			return err
		}
		if !pause(ctx, tryPause) {
			return err
		}
	}
}

// again is again, and says why the time went by.
func (s *Store) again(ctx context.Context, f func(context.Context) error) error {
	err := again(ctx, f)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.explain(ctx, err)
	}
	return err
}

// explain asks for anything without waiting for a connection, as the client
// itself does: that tells what is wrong with those that there are.
func (s *Store) explain(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), explainTime)
	defer cancel()
	client, _, _ := s.login.state()
	if client == nil {
		client = s.nobody
	}
	kv := etcdserverpb.NewKVClient(client.ActiveConnection())
	_, cause := kv.Range(ctx, &etcdserverpb.RangeRequest{Key: []byte(root)}, grpc.WaitForReady(false))
	if status.Code(cause) != codes.Unavailable {
		return err
	}
	return fmt.Errorf("%w: %s", err, status.Convert(cause).Message())
}

func try(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	return f(ctx)
}

// passes tells whether an error is one that time may mend: an election, a
// member that is down or hangs. client/v3 has three kinds of errors for that.
func passes(err error) bool {
	var etcd rpctypes.EtcdError
	if errors.As(err, &etcd) {
		return etcd.Code() == codes.Unavailable
	}
	code := status.Code(err)
	return errors.Is(err, context.DeadlineExceeded) || code == codes.Unavailable || code == codes.DeadlineExceeded
}

// pause tells whether ctx lasted for d.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
