package etcdstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/discovery/server"
)

// page bounds how many tokens are read at once.
const page = 500

// Expire implements server.Store.
func (s *Store) Expire(ctx context.Context, before time.Time) (n int, err error) {
	for from, more := tokenKey(""), true; more && err == nil; {
		var list []*mvccpb.KeyValue
		if list, more, err = s.list(ctx, from); err != nil {
			break
		}
		for _, kv := range list {
			gone, dropErr := s.expireOne(ctx, kv, before)
			if gone {
				n++
			}
			err = errors.Join(err, dropErr)
			from = string(kv.Key) + "\x00"
		}
	}
	return n, wrap("expire discovery tokens", err)
}

func (s *Store) list(ctx context.Context, from string) (kvs []*mvccpb.KeyValue, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	client, err := s.login.get(ctx)
	if err != nil {
		return nil, false, err
	}
	resp, err := client.Get(ctx, from, clientv3.WithRange(clientv3.GetPrefixRangeEnd(tokenKey(""))), clientv3.WithLimit(page))
	if err != nil {
		return nil, false, err
	}
	return resp.Kvs, resp.More, nil
}

// expireOne drops a token that is old and not complete. One of which the age
// cannot be read stays.
func (s *Store) expireOne(ctx context.Context, kv *mvccpb.KeyValue, before time.Time) (gone bool, err error) {
	b, err := parseBirth(string(kv.Value))
	if err != nil || !b.at.Before(before) {
		return false, nil
	}
	token := strings.TrimPrefix(string(kv.Key), tokenKey(""))
	err = s.persist(ctx, token, func(ctx context.Context) error {
		st, err := s.load(ctx, token)
		if err != nil || st.Complete() {
			return err
		}
		_, err = s.commit(ctx, token, st.Index, clientv3.OpDelete(tokenKey(token)), clientv3.OpDelete(memberPrefix(token), clientv3.WithPrefix()))
		gone = err == nil
		return err
	})
	if errors.Is(err, server.ErrUnknownToken) {
		return gone, nil // another instance was faster, or an answer was lost
	}
	return gone, err
}
