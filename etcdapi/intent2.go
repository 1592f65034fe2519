package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	clientv2 "go.etcd.io/etcd/client/v2"

	"github.com/sttts/elastic-etcd/joiner"
)

// In etcd 2.3 the intent is a key with a time to live.

func (c v2Client) intent(ctx context.Context) (live, begun *joiner.Intent, err error) {
	if live, err = c.intentAt(ctx, intentKey); err != nil {
		return nil, nil, err
	}
	if live != nil {
		live.Lease = live.Revision
	}
	begun, err = c.intentAt(ctx, begunKey)
	return live, begun, err
}

func (c v2Client) intentAt(ctx context.Context, key string) (*joiner.Intent, error) {
	res, err := clientv2.NewKeysAPI(c.Client).Get(ctx, key, &clientv2.GetOptions{Quorum: true})
	switch {
	case clientv2.IsKeyNotFound(err):
		return nil, nil
	case err != nil:
		return nil, orTooLong(key, v2Intent(err))
	}
	i := parseIntent([]byte(res.Node.Value))
	i.Revision, i.Left = int64(res.Node.ModifiedIndex), joiner.Duration(res.Node.TTLDuration())
	return i, nil
}

// claim cannot put both keys at once: whoever dies in between has changed
// nothing yet, and without the second one the first is taken back.
func (c v2Client) claim(ctx context.Context, i joiner.Intent) error {
	options := &clientv2.SetOptions{PrevExist: clientv2.PrevNoExist, TTL: joiner.IntentTime}
	if i.Revision != 0 {
		options = &clientv2.SetOptions{PrevIndex: uint64(i.Revision), TTL: joiner.IntentTime}
	}
	_, err := clientv2.NewKeysAPI(c.Client).Set(ctx, intentKey, intentValue(i), options)
	if err == nil && i.Of != nil {
		if _, err = clientv2.NewKeysAPI(c.Client).Set(ctx, begunKey, intentValue(i), nil); err != nil {
			_ = c.release(ctx, i)
		}
	}
	return v2Intent(err)
}

// renew sets the same value once more, with its whole time to live. The value
// names the host, so its index need not be known.
func (c v2Client) renew(ctx context.Context, i joiner.Intent) error {
	value := intentValue(i)
	_, err := clientv2.NewKeysAPI(c.Client).Set(ctx, intentKey, value, &clientv2.SetOptions{PrevValue: value, TTL: joiner.IntentTime})
	return v2Intent(err)
}

func (c v2Client) release(ctx context.Context, i joiner.Intent) error {
	_, err := clientv2.NewKeysAPI(c.Client).Delete(ctx, intentKey, &clientv2.DeleteOptions{PrevValue: intentValue(i)})
	if err = v2Intent(err); errors.Is(err, errIntentLost) {
		return nil
	}
	return err
}

func (c v2Client) forget(ctx context.Context, begun joiner.Intent) error {
	_, err := clientv2.NewKeysAPI(c.Client).Delete(ctx, begunKey, &clientv2.DeleteOptions{PrevIndex: uint64(begun.Revision)})
	if err = v2Intent(err); errors.Is(err, errIntentLost) {
		return nil
	}
	return err
}

// orTooLong knows a value that was not received for its length; an etcd 2.3 gives no
// key without it.
func orTooLong(key string, err error) error {
	if errors.As(err, new(*http.MaxBytesError)) {
		return deleteIt(key, err)
	}
	return err
}

func v2Intent(err error) error {
	var refused clientv2.Error
	if !errors.As(err, &refused) {
		return v2Detail(err)
	}
	switch refused.Code {
	case clientv2.ErrorCodeNodeExist, clientv2.ErrorCodeTestFailed, clientv2.ErrorCodeKeyNotFound:
		return errIntentLost
	case clientv2.ErrorCodeUnauthorized:
		return fmt.Errorf("%w: %w", errForbidden, err)
	}
	return v2Detail(err)
}
