package etcdapi

import (
	"context"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sttts/elastic-etcd/joiner"
)

func (c v3Client) intent(ctx context.Context) (*joiner.Intent, error) {
	res, err := c.keys.Range(ctx, &pb.RangeRequest{Key: []byte(intentKey)})
	if err != nil {
		return nil, orForbidden(ctx, err)
	}
	if len(res.Kvs) == 0 {
		return nil, nil
	}
	kv := res.Kvs[0]
	i := parseIntent(kv.Value)
	i.Lease, i.Revision = kv.Lease, kv.ModRevision
	if kv.Lease == 0 {
		return i, nil // nobody's any more: nothing would ever end it
	}
	left, err := c.leases.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: kv.Lease})
	if err != nil {
		return nil, orForbidden(ctx, err)
	}
	i.Left = joiner.Duration(time.Duration(max(left.TTL, 0)) * time.Second)
	return i, nil
}

// claim puts the key if it is absent, or still the one to take over.
func (c v3Client) claim(ctx context.Context, i joiner.Intent) error {
	lease, err := c.leases.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: joiner.IntentTime})
	if err != nil {
		return orForbidden(ctx, err)
	}
	res, err := c.keys.Txn(ctx, putIf(modifiedAt(i.Revision), intentValue(i), lease.ID))
	switch {
	case err != nil:
		c.revoke(ctx, lease.ID)
		return orForbidden(ctx, err)
	case !res.Succeeded:
		c.revoke(ctx, lease.ID)
		return errIntentLost
	}
	return nil
}

func putIf(when *pb.Compare, value string, lease int64) *pb.TxnRequest {
	put := &pb.PutRequest{Key: []byte(intentKey), Value: []byte(value), Lease: lease}
	return &pb.TxnRequest{
		Compare: []*pb.Compare{when},
		Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: put}}},
	}
}

// modifiedAt is true of an absent key for revision 0.
func modifiedAt(revision int64) *pb.Compare {
	return &pb.Compare{
		Key: []byte(intentKey), Target: pb.Compare_MOD, Result: pb.Compare_EQUAL,
		TargetUnion: &pb.Compare_ModRevision{ModRevision: revision},
	}
}

// revoke lets go of a lease; without success it ends by itself.
func (c v3Client) revoke(ctx context.Context, lease int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), changeTimeout)
	defer cancel()
	_, _ = c.leases.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: lease})
}

// renew makes sure that the intent is still ours, and gives it its whole time
// again.
func (c v3Client) renew(ctx context.Context, i joiner.Intent) error {
	res, err := c.keys.Range(ctx, &pb.RangeRequest{Key: []byte(intentKey)})
	if err != nil {
		return orForbidden(ctx, err)
	}
	if len(res.Kvs) == 0 || res.Kvs[0].Lease != i.Lease {
		return errIntentLost
	}
	ctx, cancel := context.WithCancel(ctx) // ends the stream
	defer cancel()
	stream, err := c.leases.LeaseKeepAlive(ctx)
	if err != nil {
		return orForbidden(ctx, err)
	}
	if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: i.Lease}); err != nil {
		return orForbidden(ctx, err)
	}
	alive, err := stream.Recv()
	switch {
	case err != nil:
		return orForbidden(ctx, err)
	case alive.TTL <= 0:
		return errIntentLost
	}
	return nil
}

// release deletes the key, if it is still ours, with its lease.
func (c v3Client) release(ctx context.Context, i joiner.Intent) error {
	remove := &pb.DeleteRangeRequest{Key: []byte(intentKey)}
	_, err := c.keys.Txn(ctx, &pb.TxnRequest{
		Compare: []*pb.Compare{modifiedAt(i.Revision)},
		Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: remove}}},
	})
	if err != nil {
		return orForbidden(ctx, err)
	}
	c.revoke(ctx, i.Lease)
	return nil
}

// orForbidden marks the errors that say that the keys cannot be used: no
// permission, or no space.
func orForbidden(ctx context.Context, err error) error {
	switch status.Code(err) {
	case codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.ResourceExhausted:
		return fmt.Errorf("%w: %w", errForbidden, err)
	}
	return cause(ctx, err)
}
