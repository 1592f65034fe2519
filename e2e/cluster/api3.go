package cluster

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// v3 asks etcd 3 one thing, over a connection of its own: one kept through an
// etcd's death and return would be slow to notice.
type v3 struct {
	client   *clientv3.Client
	endpoint string
}

func newV3(h *Host) (*v3, error) {
	client, err := clientv3.New(h.clientConfig())
	if err != nil {
		return nil, err
	}
	return &v3{client: client, endpoint: h.ClientURL()}, nil
}

func (h *Host) clientConfig() clientv3.Config {
	config := clientv3.Config{Endpoints: []string{h.ClientURL()}, Logger: zap.NewNop()}
	if h.lab.ca != nil {
		config.TLS = h.lab.ca.config
	}
	if root := h.lab.root; root != nil {
		config.Username, config.Password, config.DialTimeout = root.Name, root.Password, tryTimeout
	}
	return config
}

// Client is a v3 client of this host alone, closed with the test.
func (h *Host) Client() *clientv3.Client {
	h.lab.t.Helper()
	client, err := clientv3.New(h.clientConfig())
	if err != nil {
		h.lab.t.Fatalf("make client of %s: %v", h.Name, err)
	}
	h.lab.t.Cleanup(func() { client.Close() })
	return client
}

func (v *v3) membership(ctx context.Context) (Membership, error) {
	r, err := v.client.MemberList(ctx)
	if err != nil {
		return Membership{}, err
	}
	list := Membership{ClusterID: r.Header.ClusterId}
	for _, m := range r.Members {
		list.Members = append(list.Members, Member{
			ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, Learner: m.IsLearner,
		})
	}
	return list, nil
}

func (v *v3) status(ctx context.Context) (Status, error) {
	r, err := v.client.Status(ctx, v.endpoint)
	if err != nil {
		return Status{}, err
	}
	return Status{MemberID: r.Header.MemberId, Leader: r.Leader, Learner: r.IsLearner}, nil
}

func (v *v3) put(ctx context.Context, key, value string) error {
	_, err := v.client.Put(ctx, key, value)
	return err
}

func (v *v3) get(ctx context.Context, key string) (string, bool, error) {
	r, err := v.client.Get(ctx, key)
	if err != nil || len(r.Kvs) == 0 {
		return "", false, err
	}
	return string(r.Kvs[0].Value), true, nil
}

func (v *v3) add(ctx context.Context, learner bool, peerURLs []string) (uint64, error) {
	call := v.client.MemberAdd
	if learner {
		call = v.client.MemberAddAsLearner
	}
	r, err := call(ctx, peerURLs)
	if err != nil {
		return 0, err
	}
	return r.Member.ID, nil
}

func (v *v3) remove(ctx context.Context, id uint64) error {
	_, err := v.client.MemberRemove(ctx, id)
	if errors.Is(err, rpctypes.ErrMemberNotFound) {
		return nil // an earlier attempt did it and its answer was lost
	}
	return err
}

func (v *v3) close() error { return v.client.Close() }

// Revision is that of the keys, by a quorum's word.
func (h *Host) Revision() int64 {
	h.lab.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := h.Client().Get(ctx, "no such key")
	if err != nil {
		h.lab.t.Fatalf("read the revision of %s: %v", h.Name, err)
	}
	return r.Header.Revision
}
