package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sttts/elastic-etcd/e2e/history"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Store is a connection for a history's client.
func (h *Host) Store() (history.Store, error) {
	if strings.HasPrefix(h.Version, "2.") {
		return &store2{newV2(h)}, nil
	}
	a, err := newV3(h)
	if err != nil {
		return nil, err
	}
	return &store3{a}, nil
}

type store3 struct{ *v3 }

func (s *store3) Put(ctx context.Context, key, value string) error { return s.put(ctx, key, value) }

func (s *store3) Get(ctx context.Context, key string) (string, bool, error) { return s.get(ctx, key) }

func (s *store3) Close() error { return s.close() }

func (s *store3) CAS(ctx context.Context, key, old, value string) (bool, error) {
	is := clientv3.Compare(clientv3.Value(key), "=", old)
	if old == "" {
		is = clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
	}
	r, err := s.client.Txn(ctx).If(is).Then(clientv3.OpPut(key, value)).Commit()
	if err != nil {
		return false, err
	}
	return r.Succeeded, nil
}

type store2 struct{ *v2 }

func (s *store2) Put(ctx context.Context, key, value string) error { return s.put(ctx, key, value) }

func (s *store2) Get(ctx context.Context, key string) (string, bool, error) { return s.get(ctx, key) }

func (s *store2) Close() error { return s.close() }

func (s *store2) CAS(ctx context.Context, key, old, value string) (bool, error) {
	form := url.Values{"value": {value}, "prevValue": {old}}
	if old == "" {
		form = url.Values{"value": {value}, "prevExist": {"false"}}
	}
	_, err := s.do(ctx, http.MethodPut, "/v2/keys/"+key, "application/x-www-form-urlencoded", []byte(form.Encode()))
	var status httpError
	if errors.As(err, &status) && (status.code == http.StatusPreconditionFailed || status.code == http.StatusNotFound) {
		return false, nil
	}
	return err == nil, err
}

// WaitSame waits until the data of all the hosts is the same at the same
// revision.
func (l *Lab) WaitSame(hosts ...*Host) {
	l.t.Helper()
	l.WaitFor("the same data on all members", func(ctx context.Context) error { return checkSameData(ctx, hosts) })
}

func checkSameData(ctx context.Context, hosts []*Host) error {
	var first string
	for i, h := range hosts {
		digest, err := h.digest(ctx)
		if err != nil {
			return err
		}
		if i == 0 {
			first = digest
		}
		if digest != first {
			return fmt.Errorf("%s has %s, %s has %s", hosts[0].Name, first, h.Name, digest)
		}
	}
	return nil
}

// digest stands for everything in the host's own store.
func (h *Host) digest(ctx context.Context) (string, error) {
	if strings.HasPrefix(h.Version, "2.") {
		r, err := newV2(h).do(ctx, http.MethodGet, "/v2/keys/?recursive=true&sorted=true", "", nil)
		return string(r.body), err
	}
	return ask(h, func(a api) (string, error) {
		r, err := a.(*v3).client.HashKV(ctx, h.ClientURL(), 0)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("hash %d at revision %d, compacted %d", r.Hash, r.Header.Revision, r.CompactRevision), nil
	})
}
