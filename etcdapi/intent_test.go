package etcdapi

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sttts/elastic-etcd/joiner"
)

// What stands under the key is whoever's, and says nothing of what this host
// can read, nor of a lease.
func TestParseIntent(t *testing.T) {
	for value, want := range map[string]joiner.Intent{
		`{"name":"n1","purpose":"join","lease":7,"revision":8,"left":"1h","unclear":"x"}`: {Name: "n1", Purpose: joiner.ToJoin},
		`{"unclear":"for ever"}`: {},
		`garbage`:                {Name: "unknown"},
	} {
		got := parseIntent([]byte(value))
		if got.Name != want.Name || got.Purpose != want.Purpose || got.Lease != 0 || got.Revision != 0 || got.Left != 0 || got.Unclear != "" {
			t.Errorf("%s: got %+v", value, got)
		}
	}
}

// Only what does not pass makes intents impossible; else nobody's is taken for none.
func TestImpossible(t *testing.T) {
	for err, want := range map[error]bool{
		rpctypes.ErrGRPCPermissionDenied:                       true,
		status.Error(codes.Unknown, "auth: permission denied"): true, // of 3.4
		rpctypes.ErrGRPCUserNotFound:                           false,
		rpctypes.ErrGRPCNoSpace:                                true,
		rpctypes.ErrGRPCCorrupt:                                true,
		rpctypes.ErrGRPCRequestTooManyRequests:                 false,
		rpctypes.ErrGRPCAuthOldRevision:                        false,
		rpctypes.ErrGRPCInvalidAuthToken:                       false,
		rpctypes.ErrGRPCUserEmpty:                              false,
		rpctypes.ErrGRPCTimeout:                                false,
		status.Error(codes.ResourceExhausted, "grpc: received message larger than max (1200150 vs. 1048576)"): false,
		status.Error(codes.PermissionDenied, "unexpected HTTP status code received from server: 403"):         false,
		errWantsUser: true,
	} {
		if got := errors.Is(orForbidden(t.Context(), err), errForbidden); got != want {
			t.Errorf("%v: %t", err, got)
		}
	}
}

// busy is a server whose answers are all the same error.
type busy struct {
	grpc.ClientConnInterface
	err error
}

func (b busy) Invoke(context.Context, string, any, any, ...grpc.CallOption) error { return b.err }

// A server that is too busy to tell of an intent hides none, and one that is too
// busy to take ours makes none impossible.
func TestBusyIsNotForbidden(t *testing.T) {
	for err, impossible := range map[error]bool{rpctypes.ErrGRPCRequestTooManyRequests: false, rpctypes.ErrGRPCPermissionDenied: true} {
		a, err0 := New(Config{})
		if err0 != nil {
			t.Fatal(err0)
		}
		defer a.Close()
		const url = "http://127.9.9.1:1"
		if _, err := a.conns.get(url); err != nil {
			t.Fatal(err)
		}
		known := a.conns.open[url]
		known.calls = newAuthConn(busy{err: err}, Credentials{}, true)
		a.conns.open[url] = known
		i, _, none := a.readIntent(t.Context(), answer{contact: contact{clientPort, url}, cluster: 1, api: "v3"})
		if (none != "") != impossible || (i != nil && i.Unclear != "") == impossible {
			t.Errorf("%v: reads %+v, %q", err, i, none)
		}
	}
}

// shelf has the two keys, some with values that are longer than an answer may be.
type shelf struct {
	grpc.ClientConnInterface
	long map[string]bool
}

func (s shelf) Invoke(_ context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	if method == pb.Lease_LeaseTimeToLive_FullMethodName {
		reply.(*pb.LeaseTimeToLiveResponse).TTL = 99
		return nil
	}
	for _, op := range args.(*pb.TxnRequest).Success {
		read := op.GetRequestRange()
		kv := &mvccpb.KeyValue{Key: read.Key, ModRevision: 5}
		switch {
		case !read.KeysOnly && s.long[string(read.Key)]:
			return status.Error(codes.ResourceExhausted, "grpc: received message larger than max (1200150 vs. 1048576)")
		case !read.KeysOnly:
			kv.Value, kv.Lease = []byte(`{"name":"n1"}`), 7 // which only comes with it from an etcd 3.7
		}
		found := &pb.RangeResponse{Kvs: []*mvccpb.KeyValue{kv}}
		res := reply.(*pb.TxnResponse)
		res.Responses = append(res.Responses, &pb.ResponseOp{Response: &pb.ResponseOp_ResponseRange{ResponseRange: found}})
	}
	return nil
}

// A value that is too long to be received hides no intent; one of an intent is no
// word that there is none.
func TestLongValueHidesNothing(t *testing.T) {
	for _, long := range []map[string]bool{{}, {begunKey: true}, {intentKey: true}, {begunKey: true, intentKey: true}} {
		conn := shelf{long: long}
		live, begun, err := v3Client{keys: pb.NewKVClient(conn), leases: pb.NewLeaseClient(conn)}.intent(t.Context())
		if long[intentKey] {
			if err == nil || errors.Is(err, errForbidden) || !strings.Contains(err.Error(), "delete the key") || !strings.Contains(err.Error(), intentKey) {
				t.Errorf("%v: %+v, %v", long, live, err)
			}
			continue
		}
		if err != nil || live == nil || begun == nil || live.Left <= 0 || live.Revision != 5 || begun.Revision != 5 {
			t.Fatalf("%v: %+v, %+v, %v", long, live, begun, err)
		}
		if live.Name != "n1" || (begun.Name == "unknown") != long[begunKey] {
			t.Errorf("%v: %+v, %+v", long, live, begun)
		}
	}
}

// An intent counts until its lease is over, in its last second too.
func TestTimeLeft(t *testing.T) {
	for ttl, want := range map[int64]time.Duration{-1: 0, 0: time.Second, 119: 2 * time.Minute} {
		if got := timeLeft(ttl); time.Duration(got) != want {
			t.Errorf("%d: %s, want %s", ttl, got, want)
		}
	}
}
