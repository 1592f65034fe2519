package discovery

import (
	"context"
	"fmt"
	"path"
	"strings"

	client "go.etcd.io/etcd/client/v2"

	"github.com/sttts/elastic-etcd/joiner"
)

// Forget deletes a registration, so that nobody is sent to a host that is
// gone. That there is none is no error. Never call it for one of the first
// size: a founder's place that is free again is how a second cluster is born.
func (v *V2) Forget(ctx context.Context, e joiner.Entry) error {
	if err := forgettable(e); err != nil {
		return fmt.Errorf("forget %s with %s: %w", quote(e.Value), v.service, err)
	}
	_, err := v.keys.Delete(ctx, path.Join("/", v.path, e.Key), nil)
	if err == nil || hasCode(err, client.ErrorCodeKeyNotFound) {
		return nil
	}
	return fmt.Errorf("forget %s under %s with %s: %s", quote(e.Value), quote(e.Key), v.service, reason(err))
}

// forgettable wants a key that is one element of a path: another would lead to
// somebody else's registration, or to the size of the token.
func forgettable(e joiner.Entry) error {
	if e.Key == "" || e.Key == "." || e.Key == ".." || strings.ContainsAny(e.Key, "/ \t\r\n") {
		return fmt.Errorf("its key %s is not that of a registration: delete it by hand", quote(e.Key))
	}
	return nil
}
