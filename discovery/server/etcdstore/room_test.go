package etcdstore

import (
	"context"
	"errors"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/discovery/server"
)

func TestRoom(t *testing.T) {
	const mb = 1 << 20
	for name, c := range map[string]struct {
		limit int64
		told  map[string]*clientv3.StatusResponse
		want  error
	}{
		"no limit":            {0, told(900*mb, 0), nil},
		"below the limit":     {100 * mb, told(99*mb, 0), nil},
		"at the limit":        {100 * mb, told(100*mb, 0), server.ErrNoRoom},
		"below the quota":     {1, told(79*mb, 100*mb), nil},
		"near the quota":      {0, told(80*mb, 100*mb), server.ErrNoRoom},
		"no quota, 3.6":       {100 * mb, told(100*mb, -1), server.ErrNoRoom},
		"the alarm":           {0, map[string]*clientv3.StatusResponse{"a": {Errors: []string{"memberID:1 alarm:NOSPACE "}}}, server.ErrNoSpace},
		"one of them is full": {1 * mb, map[string]*clientv3.StatusResponse{"a": {DbSize: 1}, "b": {DbSize: 2 * mb}, "c": {DbSize: 1}}, server.ErrNoRoom},
		"one does not answer": {1 * mb, map[string]*clientv3.StatusResponse{"a": nil, "b": {DbSize: 2 * mb}}, server.ErrNoRoom},
		"nobody answers":      {1 * mb, map[string]*clientv3.StatusResponse{"a": nil, "b": nil}, nil},
	} {
		g := gauge{limit: c.limit, status: func(_ context.Context, endpoint string) (*clientv3.StatusResponse, error) {
			if c.told[endpoint] == nil {
				return nil, context.DeadlineExceeded
			}
			return c.told[endpoint], nil
		}}
		for endpoint := range c.told {
			g.endpoints = append(g.endpoints, endpoint)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // whoever asked may be gone
		if err := g.room(ctx); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func told(size, quota int64) map[string]*clientv3.StatusResponse {
	return map[string]*clientv3.StatusResponse{"a": (*clientv3.StatusResponse)(&pb.StatusResponse{DbSize: size, DbSizeQuota: quota})}
}

// The etcd is not asked for every token.
func TestRoomIsRemembered(t *testing.T) {
	asked := 0
	g := gauge{endpoints: []string{"a"}, status: func(ctx context.Context, _ string) (*clientv3.StatusResponse, error) {
		asked++
		return &clientv3.StatusResponse{}, ctx.Err()
	}}
	for range 2 {
		_ = g.room(t.Context())
	}
	if g.at = time.Now().Add(-roomTime - time.Second); g.room(t.Context()) != nil || asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}
