package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sttts/elastic-etcd/joiner"
)

func (c v3Client) intent(ctx context.Context) (live, begun *joiner.Intent, err error) {
	res, err := c.readBoth(ctx)
	if err != nil {
		return nil, nil, orForbidden(ctx, err)
	}
	if kv := readIn(res, 1); kv != nil {
		begun = parseIntent(kv.Value)
		begun.Revision = kv.ModRevision
	}
	if kv := readIn(res, 0); kv != nil {
		live, err = c.leased(ctx, kv)
	}
	return live, begun, err
}

// readBoth reads both keys at one moment. What was begun is left out where it is
// too long to be received, and so not ours: it must not hide the intent. An intent
// is not: whose it is, and for how long, an etcd 3.7 does not tell without the value.
func (c v3Client) readBoth(ctx context.Context) (*pb.TxnResponse, error) {
	res, err := c.read(ctx, readOf(intentKey, false), readOf(begunKey, false))
	if tooLong(err) {
		res, err = c.read(ctx, readOf(intentKey, false), readOf(begunKey, true))
	}
	if tooLong(err) {
		return nil, deleteIt(intentKey, err)
	}
	return res, err
}

func (c v3Client) read(ctx context.Context, both ...*pb.RequestOp) (*pb.TxnResponse, error) {
	return c.keys.Txn(ctx, &pb.TxnRequest{Success: both})
}

// deleteIt is for a value that was not received for its length.
func deleteIt(key string, err error) error {
	return fmt.Errorf("the value of the key %s is too long to be ours: delete the key: %w", key, err)
}

// tooLong tells whether gRPC did not receive an answer for its length.
func tooLong(err error) bool {
	return status.Code(err) == codes.ResourceExhausted && strings.Contains(err.Error(), "received message larger than max")
}

func readOf(key string, onlyKey bool) *pb.RequestOp {
	read := &pb.RangeRequest{Key: []byte(key), KeysOnly: onlyKey}
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: read}}
}

// readIn is what the nth read of a transaction found, nil = nothing.
func readIn(res *pb.TxnResponse, n int) *mvccpb.KeyValue {
	if n >= len(res.Responses) {
		return nil
	}
	kvs := res.Responses[n].GetResponseRange().GetKvs()
	if len(kvs) == 0 {
		return nil
	}
	return kvs[0]
}

// leased is an intent with the time that it has left.
func (c v3Client) leased(ctx context.Context, kv *mvccpb.KeyValue) (*joiner.Intent, error) {
	i := parseIntent(kv.Value)
	i.Lease, i.Revision = kv.Lease, kv.ModRevision
	if kv.Lease == 0 {
		return i, nil // nobody's any more: nothing would ever end it
	}
	left, err := c.leases.LeaseTimeToLive(ctx, &pb.LeaseTimeToLiveRequest{ID: kv.Lease})
	if err != nil {
		return nil, orForbidden(ctx, err)
	}
	i.Left = timeLeft(left.TTL)
	return i, nil
}

// timeLeft is the most that a lease may last: etcd tells whole seconds, rounded
// down, and -1 of one that is over.
func timeLeft(ttl int64) joiner.Duration {
	return joiner.Duration(time.Duration(max(ttl+1, 0)) * time.Second)
}

// claim puts the key if it is absent, or still the one to take over.
func (c v3Client) claim(ctx context.Context, i joiner.Intent) error {
	lease, err := c.leases.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: int64(joiner.IntentTime / time.Second)})
	if err != nil {
		return orForbidden(ctx, err)
	}
	res, err := c.keys.Txn(ctx, claimIf(modifiedAt(i.Revision), i, lease.ID))
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

func claimIf(when *pb.Compare, i joiner.Intent, lease int64) *pb.TxnRequest {
	value := []byte(intentValue(i))
	puts := []*pb.RequestOp{put(&pb.PutRequest{Key: []byte(intentKey), Value: value, Lease: lease})}
	if i.Of != nil {
		puts = append(puts, put(&pb.PutRequest{Key: []byte(begunKey), Value: value}))
	}
	return &pb.TxnRequest{Compare: []*pb.Compare{when}, Success: puts}
}

func put(r *pb.PutRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: r}}
}

// modifiedAt is true of an absent intent for revision 0.
func modifiedAt(revision int64) *pb.Compare { return keyModifiedAt(intentKey, revision) }

func keyModifiedAt(key string, revision int64) *pb.Compare {
	return &pb.Compare{
		Key: []byte(key), Target: pb.Compare_MOD, Result: pb.Compare_EQUAL,
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
	if err := c.deleteIf(ctx, intentKey, i.Revision); err != nil {
		return err
	}
	c.revoke(ctx, i.Lease)
	return nil
}

func (c v3Client) forget(ctx context.Context, begun joiner.Intent) error {
	return c.deleteIf(ctx, begunKey, begun.Revision)
}

// deleteIf deletes a key that is as it was seen.
func (c v3Client) deleteIf(ctx context.Context, key string, revision int64) error {
	remove := &pb.DeleteRangeRequest{Key: []byte(key)}
	_, err := c.keys.Txn(ctx, &pb.TxnRequest{
		Compare: []*pb.Compare{keyModifiedAt(key, revision)},
		Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: remove}}},
	})
	if err != nil {
		return orForbidden(ctx, err)
	}
	return nil
}

// impossible are the errors that say that the keys cannot be used: no permission,
// nobody to have one (errWantsUser), no space, or an alarm CORRUPT. By their codes
// they are not told from what passes, such as "too many requests": then another host
// may well have an intent.
var impossible = []error{rpctypes.ErrGRPCPermissionDenied, rpctypes.ErrGRPCNoSpace, rpctypes.ErrGRPCCorrupt}

// orForbidden marks the errors that are among them.
func orForbidden(ctx context.Context, err error) error {
	if errors.Is(err, errWantsUser) || slices.ContainsFunc(impossible, func(known error) bool { return said(err, known) }) {
		return fmt.Errorf("%w: %w", errForbidden, err)
	}
	return cause(ctx, err)
}
