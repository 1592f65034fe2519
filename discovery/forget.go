package discovery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	client "go.etcd.io/etcd/client/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

// Forget deletes a registration, so that nobody is sent to a host that is
// gone. That there is none is no error. Never call it for one of the first
// size: a founder's place that is free again is how a second cluster is born.
func (v *V2) Forget(ctx context.Context, e joiner.Entry) error {
	if err := v.Forgettable(e); err != nil {
		return err
	}
	_, err := v.keys.Delete(ctx, path.Join("/", v.path, e.Key), nil)
	if err == nil || hasCode(err, client.ErrorCodeKeyNotFound) {
		return nil
	}
	return fmt.Errorf("forget %s under %s with %s: %s", quote(e.Value), quote(e.Key), v.service, reason(err))
}

// Forgettable says without a request why Forget would not delete an entry.
func (v *V2) Forgettable(e joiner.Entry) error {
	err := forgettable(e)
	if err == nil && e.Value == "" { // what a directory has
		err = fmt.Errorf("its key %s is a directory or empty: delete it by hand", quote(e.Key))
	}
	if err != nil {
		return fmt.Errorf("forget %s with %s: %w", quote(e.Value), v.service, err)
	}
	return nil
}

// forgettable wants a key that is one element of a path: another would lead to
// somebody else's registration, or to the size of the token.
func forgettable(e joiner.Entry) error {
	if e.Key == "" || e.Key == "." || e.Key == ".." || strings.ContainsAny(e.Key, "/ \t\r\n") {
		return fmt.Errorf("its key %s is not that of a registration: delete it by hand", quote(e.Key))
	}
	return nil
}

// Forget deletes a registration, see V2.Forget. In a keyspace that anybody may
// write to, only the very key and value that were read are deleted.
func (v *V3) Forget(ctx context.Context, e joiner.Entry) error {
	if err := v.Forgettable(e); err != nil {
		return err
	}
	err := v.ask(ctx, func(ctx context.Context, kv clientv3.KV) error {
		return forgetV3(ctx, kv, v.key("members", e.Key), e.Value)
	})
	if err == nil {
		return nil
	}
	return fmt.Errorf("forget %s under %s: %s", quote(e.Value), v.name, v3Reason(err))
}

// Forgettable says without a request why Forget would not delete an entry.
func (v *V3) Forgettable(e joiner.Entry) error {
	if err := forgettable(e); err != nil {
		return fmt.Errorf("forget %s under %s: %w", quote(e.Value), v.name, err)
	}
	return nil
}

// forgetV3 deletes what was read as this key and value, without the white
// space around them, if it is still the same.
func forgetV3(ctx context.Context, kv clientv3.KV, key, value string) error {
	found, err := kv.Get(ctx, key, clientv3.WithPrefix(), clientv3.WithLimit(maxEntries))
	if err != nil {
		return err
	}
	for _, old := range found.Kvs {
		switch now := strings.TrimSpace(string(old.Value)); {
		case strings.TrimSpace(string(old.Key)) != key: // only begins with it
		case now == value:
			return deleteV3(ctx, kv, string(old.Key), old.ModRevision)
		default:
			err = fmt.Errorf("it is registered as %s by now", quote(now))
		}
	}
	return err
}

// deleteV3 deletes a key as of a revision.
func deleteV3(ctx context.Context, kv clientv3.KV, key string, revision int64) error {
	resp, err := kv.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", revision)).
		Then(clientv3.OpDelete(key)).Else(clientv3.OpGet(key, clientv3.WithKeysOnly())).Commit()
	if err != nil || resp.Succeeded || len(resp.Responses[0].GetResponseRange().Kvs) == 0 {
		return err
	}
	return errors.New("it was registered anew meanwhile")
}
