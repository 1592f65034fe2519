package etcdstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/discovery/server"
)

const (
	// roomTime is how long an answer counts: many tokens are made at once, so
	// that the database grows by some megabytes a second.
	roomTime = 2 * time.Second

	// askTime bounds the question: whoever makes a token waits for it.
	askTime = time.Second

	// ourShare is how many hundredths of its quota an etcd may have in use for
	// more tokens. One whose quota is used up takes no registration of a founder
	// any more, and nothing of anybody else.
	ourShare = 80
)

// gauge tells whether an etcd has room for more than founders.
type gauge struct {
	endpoints []string
	status    func(ctx context.Context, endpoint string) (*clientv3.StatusResponse, error)
	limit     int64 // bytes, where the etcd has no quota or tells none; 0 = any

	mu  sync.Mutex
	at  time.Time
	err error
}

// room is nil or ErrNoRoom. Where nobody tells there is room: a write says more.
func (g *gauge) room(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.at) > roomTime {
		g.err = g.ask(ctx)
		g.at = time.Now()
	}
	return g.err
}

// ask asks all members: their databases differ in size, and the first one that
// is full stops all.
func (g *gauge) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime) // the answer is for others too
	defer cancel()
	told := make(chan error, len(g.endpoints))
	for _, endpoint := range g.endpoints {
		go func() {
			resp, err := g.status(ctx, endpoint)
			if err != nil {
				resp = &clientv3.StatusResponse{}
			}
			told <- g.judge(resp)
		}()
	}
	var full error
	for range g.endpoints {
		if err := <-told; err != nil {
			full = err
		}
	}
	return full
}

func (g *gauge) judge(of *clientv3.StatusResponse) error {
	const mb = 1 << 20
	most, why := g.limit, "the limit"
	if of.DbSizeQuota > 0 { // etcd 3.6 and later
		most, why = of.DbSizeQuota*ourShare/100, fmt.Sprintf("%d%% of its quota", ourShare)
	}
	switch {
	case slices.ContainsFunc(of.Errors, func(s string) bool { return strings.Contains(s, "NOSPACE") }):
		return fmt.Errorf("%w: %w: the etcd has the alarm NOSPACE", server.ErrNoRoom, server.ErrNoSpace)
	case most > 0 && of.DbSize >= most:
		return fmt.Errorf("%w: the etcd's database has %d MB, %s is %d MB", server.ErrNoRoom, of.DbSize/mb, why, most/mb)
	}
	return nil
}
