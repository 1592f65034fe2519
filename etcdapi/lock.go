package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv2 "go.etcd.io/etcd/client/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// lockKey is held, in the cluster itself, by whoever changes its membership.
const lockKey = "_elastic-etcd/lock"

// lockTime is how long a lock outlives its holder: longer than a change can
// take, which is one ProbeTimeout for the fresh list and one changeTimeout.
const lockTime = 20 * time.Second

// errLocked says that another host changes the membership just now.
var errLocked = errors.New("another host is changing the membership (key " + lockKey + ")")

func nothing() {}

// lock makes this the only host that changes the membership. Where the keys
// may not be written, the change goes on without: the fresh list and etcd's
// own checks still hold.
func (c v3Client) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, changeTimeout, fmt.Errorf("no answer within %s", changeTimeout))
	defer cancel()
	lease, err := c.leases.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: int64(lockTime.Seconds())})
	if err != nil {
		return nothing, unlessForbidden(cause(ctx, err))
	}
	release := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), changeTimeout)
		defer cancel()
		_, _ = c.leases.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: lease.ID}) // it ends by itself otherwise
	}
	res, err := c.keys.Txn(ctx, createOnly(lockKey, lease.ID))
	switch {
	case err != nil:
		release()
		return nothing, unlessForbidden(cause(ctx, err))
	case !res.Succeeded:
		release()
		return nothing, errLocked
	}
	return release, nil
}

// createOnly puts a key that is not there yet, for as long as a lease lasts.
func createOnly(key string, lease int64) *pb.TxnRequest {
	absent := &pb.Compare{
		Key: []byte(key), Target: pb.Compare_CREATE, Result: pb.Compare_EQUAL,
		TargetUnion: &pb.Compare_CreateRevision{CreateRevision: 0},
	}
	put := &pb.PutRequest{Key: []byte(key), Lease: lease}
	return &pb.TxnRequest{
		Compare: []*pb.Compare{absent},
		Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: put}}},
	}
}

// unlessForbidden drops the errors that say that the keys cannot be written:
// no permission, or no space.
func unlessForbidden(err error) error {
	switch status.Code(err) {
	case codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.ResourceExhausted:
		return nil
	}
	return err
}

// lock is the same by the keys of etcd 2.
func (c v2Client) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, changeTimeout, fmt.Errorf("no answer within %s", changeTimeout))
	defer cancel()
	keys := clientv2.NewKeysAPI(c.Client)
	_, err = keys.Set(ctx, lockKey, "", &clientv2.SetOptions{PrevExist: clientv2.PrevNoExist, TTL: lockTime})
	var refused clientv2.Error
	switch {
	case errors.As(err, &refused) && refused.Code == clientv2.ErrorCodeNodeExist:
		return nothing, errLocked
	case errors.As(err, &refused) && refused.Code == clientv2.ErrorCodeUnauthorized:
		return nothing, nil
	case err != nil:
		return nothing, v2Detail(err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), changeTimeout)
		defer cancel()
		_, _ = keys.Delete(ctx, lockKey, nil)
	}, nil
}
