package etcdstore

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/discovery/server"
)

// state is a token as it was read at one revision.
type state struct {
	server.Directory
	birth birth
	marks map[string]string // by member ID
}

// Load implements server.Store.
func (s *Store) Load(ctx context.Context, token string) (server.Directory, error) {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	var st state
	err := s.again(ctx, func(ctx context.Context) (err error) {
		st, err = s.load(ctx, token)
		return err
	})
	return st.Directory, wrap("read discovery token", err)
}

func (s *Store) load(ctx context.Context, token string) (state, error) {
	client, err := s.login.get(ctx)
	if err != nil {
		return state{}, err
	}
	resp, err := client.Txn(ctx).Then(
		clientv3.OpGet(tokenKey(token)),
		clientv3.OpGet(memberPrefix(token), clientv3.WithPrefix()),
	).Commit()
	if err != nil {
		return state{}, err
	}
	of := resp.Responses[0].GetResponseRange().Kvs
	if len(of) == 0 {
		return state{}, server.ErrUnknownToken
	}
	return read(token, of[0], resp.Responses[1].GetResponseRange().Kvs)
}

func read(token string, of *mvccpb.KeyValue, members []*mvccpb.KeyValue) (st state, err error) {
	if st.birth, err = parseBirth(string(of.Value)); err != nil {
		return st, err
	}
	st.Size, st.Index, st.Created = st.birth.size, uint64(of.ModRevision), uint64(of.CreateRevision)
	st.marks = map[string]string{}
	for _, kv := range members {
		id := strings.TrimPrefix(string(kv.Key), memberPrefix(token))
		mark, value, err := unmark(string(kv.Value))
		if err != nil {
			return st, err
		}
		st.marks[id] = mark
		st.Entries = append(st.Entries, server.Entry{ID: id, Value: value, Index: uint64(kv.CreateRevision)})
	}
	slices.SortFunc(st.Entries, func(a, b server.Entry) int { return cmp.Compare(a.Index, b.Index) })
	return st, nil
}

// index reads no more of a token than its index.
func (s *Store) index(ctx context.Context, token string) (index uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	err = s.again(ctx, func(ctx context.Context) (err error) {
		index, err = s.readIndex(ctx, token)
		return err
	})
	return index, err
}

func (s *Store) readIndex(ctx context.Context, token string) (uint64, error) {
	client, err := s.login.get(ctx)
	if err != nil {
		return 0, err
	}
	resp, err := client.Get(ctx, tokenKey(token), clientv3.WithKeysOnly())
	switch {
	case err != nil:
		return 0, err
	case len(resp.Kvs) == 0:
		return 0, server.ErrUnknownToken
	}
	return uint64(resp.Kvs[0].ModRevision), nil
}
