package etcdapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// intentKey holds, in the cluster itself, who is changing its membership, and
// begunKey which join was begun last.
const (
	intentKey = joiner.IntentKey
	begunKey  = joiner.BegunKey
)

// maxIntent bounds the value of the key, which anybody may have written.
const maxIntent = 4 << 10 // bytes

// errIntentLost says that our intent is not in the cluster any more.
var errIntentLost = errors.New("the intent to change the membership is lost (key " + intentKey + "): it ran out, or another host has one")

// errForbidden says that the key cannot be written or read by this user, or
// that there is no room for it.
var errForbidden = errors.New("the key " + intentKey + " cannot be used")

// keeper is a server that keeps the intent. Its errors wrap errForbidden
// where intents are impossible, and errIntentLost where it is somebody else's.
type keeper interface {
	// intent gives the one that is in force, and the join that was begun last.
	intent(ctx context.Context) (live, begun *joiner.Intent, err error)
	// claim also remembers a join as begun.
	claim(ctx context.Context, i joiner.Intent) error
	renew(ctx context.Context, i joiner.Intent) error
	release(ctx context.Context, i joiner.Intent) error
	forget(ctx context.Context, begun joiner.Intent) error
}

// Claim puts the intent into the cluster, for joiner.IntentTime. With a
// Revision it takes over the intent that has it, with a Lease it renews its
// own. Where intents are impossible it does nothing, and later observations
// say so.
func (a *API) Claim(ctx context.Context, cluster joiner.ID, i joiner.Intent) error {
	return a.withKeeper(ctx, cluster, "claim the intent", func(ctx context.Context, k keeper) error {
		if i.Lease != 0 {
			return k.renew(ctx, i)
		}
		return k.claim(ctx, i)
	})
}

// Release deletes our intent from the cluster. That it is gone is no error.
func (a *API) Release(ctx context.Context, cluster joiner.ID, i joiner.Intent) error {
	return a.withKeeper(ctx, cluster, "release the intent", func(ctx context.Context, k keeper) error {
		return k.release(ctx, i)
	})
}

// Forget deletes what the cluster remembers of a join that was begun. That it
// is gone, or that another one was begun since, is no error.
func (a *API) Forget(ctx context.Context, cluster joiner.ID, begun joiner.Intent) error {
	return a.withKeeper(ctx, cluster, "forget the join", func(ctx context.Context, k keeper) error {
		return k.forget(ctx, begun)
	})
}

func (a *API) withKeeper(ctx context.Context, cluster joiner.ID, what string, do func(context.Context, keeper) error) error {
	at, err := a.spokesman(ctx, cluster, 0)
	if err == nil {
		err = a.keep(ctx, at, do)
	}
	if errors.Is(err, errForbidden) {
		a.forbid(cluster, err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s in cluster %s: %w", what, cluster, err)
	}
	return nil
}

func (a *API) keep(ctx context.Context, at answer, do func(context.Context, keeper) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, changeTimeout, fmt.Errorf("no answer within %s", changeTimeout))
	defer cancel()
	server, err := a.changer(at)
	if err != nil {
		return err
	}
	return do(ctx, server)
}

// forbidden is why an intent could not be put into a cluster, and when.
type forbidden struct {
	why string
	at  time.Time
}

// forbiddenFor is how long that is believed: space is made, and roles are given.
const forbiddenFor = time.Minute

// forbid remembers that there can be no intents in a cluster.
func (a *API) forbid(cluster joiner.ID, why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forbidden[cluster] = forbidden{why.Error(), time.Now()}
}

func (a *API) forbiddenIn(cluster joiner.ID) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f := a.forbidden[cluster]; time.Since(f.at) < forbiddenFor {
		return f.why
	}
	return ""
}

// readIntent gives the intent that is in force, the join that was begun last,
// and why there can be none. That this host could not put one there does not
// take away that of another.
func (a *API) readIntent(ctx context.Context, proof answer) (i, begun *joiner.Intent, none string) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	server, err := a.changer(proof)
	if err == nil {
		i, begun, err = server.intent(ctx)
	}
	switch {
	case errors.Is(err, errForbidden):
		return nil, nil, err.Error()
	case err != nil: // not known is not none
		return &joiner.Intent{Unclear: err.Error()}, nil, ""
	}
	return i, begun, a.forbiddenIn(proof.cluster)
}

// parseIntent reads what stands under the key. What makes no sense is still
// somebody's.
func parseIntent(value []byte) *joiner.Intent {
	i := &joiner.Intent{}
	if len(value) > maxIntent || json.Unmarshal(value, i) != nil {
		return &joiner.Intent{Name: "unknown"}
	}
	i.Lease, i.Revision, i.Left, i.Unclear = 0, 0, 0, ""
	return i
}

// intentValue is the part of an intent that is written.
func intentValue(i joiner.Intent) string {
	i.Lease, i.Revision, i.Left, i.Unclear = 0, 0, 0, ""
	b, _ := json.Marshal(i) // strings and numbers always can
	return string(b)
}
