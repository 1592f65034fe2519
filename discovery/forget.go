package discovery

import (
	"context"
	"fmt"
	"path"

	client "go.etcd.io/etcd/client/v2"

	"github.com/sttts/elastic-etcd/joiner"
)

// Forget deletes a registration, so that nobody is sent to a host that is
// gone. That there is none is no error. Never call it for one of the first
// size: a founder's place that is free again is how a second cluster is born.
func (v *V2) Forget(ctx context.Context, e joiner.Entry) error {
	_, err := v.keys.Delete(ctx, path.Join("/", v.path, e.Key), nil)
	if err == nil || hasCode(err, client.ErrorCodeKeyNotFound) {
		return nil
	}
	return fmt.Errorf("forget %s with %s: %s", quote(e.Value), v.service, reason(err))
}
