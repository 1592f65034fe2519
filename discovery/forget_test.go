package discovery

import (
	"context"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

// fakeKV is an etcd that lists keys, and in which a transaction fails where
// somebody else has written a key meanwhile.
type fakeKV struct {
	clientv3.KV
	found     []*mvccpb.KeyValue
	meanwhile []*mvccpb.KeyValue // what is under the key by then, nil = the same
	deleted   string
}

func (f *fakeKV) Get(context.Context, string, ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	return &clientv3.GetResponse{Kvs: f.found}, nil
}

func (f *fakeKV) Txn(context.Context) clientv3.Txn { return f }
func (f *fakeKV) If(...clientv3.Cmp) clientv3.Txn  { return f }
func (f *fakeKV) Else(...clientv3.Op) clientv3.Txn { return f }
func (f *fakeKV) Then(ops ...clientv3.Op) clientv3.Txn {
	f.deleted = string(ops[0].KeyBytes())
	return f
}

func (f *fakeKV) Commit() (*clientv3.TxnResponse, error) {
	if f.meanwhile == nil {
		return &clientv3.TxnResponse{Succeeded: true}, nil
	}
	f.deleted = ""
	r := &pb.RangeResponse{Kvs: f.meanwhile}
	return &clientv3.TxnResponse{Responses: []*pb.ResponseOp{{Response: &pb.ResponseOp_ResponseRange{ResponseRange: r}}}}, nil
}

// What was not deleted is never told as deleted.
func TestV3Forget(t *testing.T) {
	for name, c := range map[string]struct {
		found, meanwhile []*mvccpb.KeyValue
		deleted, says    string
	}{
		"there":               {keyed("/1=1=a=u"), nil, "/p/1", ""},
		"with white space":    {keyed("/1 =1= a=u\n"), nil, "/p/1 ", ""},
		"a garbled one first": {keyed("/1=1=x", "/1 =1=a=u"), nil, "/p/1 ", ""},
		"gone before":         {nil, nil, "", ""},
		"a longer key":        {keyed("/12=1=a=u"), nil, "", ""},
		"another value":       {keyed("/1=1=b=v"), nil, "", `registered as "b=v" by now`},
		"gone meanwhile":      {keyed("/1=1=a=u"), []*mvccpb.KeyValue{}, "", ""},
		"anew meanwhile":      {keyed("/1=1=a=u"), keyed("/1=2=a=u"), "", "registered anew meanwhile"},
	} {
		kv := &fakeKV{found: c.found, meanwhile: c.meanwhile}
		err := forgetV3(t.Context(), kv, "/p/1", "a=u")
		if kv.deleted != c.deleted || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: deleted %q, %v", name, kv.deleted, err)
		}
	}
}

// What Forget refuses is known without a request.
func TestForgettable(t *testing.T) {
	v := newV2(t, "http://h/t")
	for e, says := range map[joiner.Entry]string{
		{Key: "ab", Value: "n=http://h:1"}:  "",
		{Key: "d"}:                          `its key "d" is a directory or empty: delete it by hand`,
		{Key: "..", Value: "n=http://h:1"}:  `its key ".." is not that of a registration`,
		{Key: "a/b", Value: "n=http://h:1"}: `its key "a/b" is not that of a registration`,
	} {
		if err := v.Forgettable(e); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: got %v, want %q", e, err, says)
		}
		if err := v.Forget(t.Context(), e); says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%+v: forgot it: %v", e, err)
		}
	}
}
