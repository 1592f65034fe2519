// Package etcdstore keeps the discovery service's tokens in an etcd v3
// cluster. Any number of instances of the service may use one.
//
// A token is the key PREFIX/tokens/TOKEN, whose modification is the token's
// index, and its members are PREFIX/members/TOKEN/ID. Whoever changes a token
// writes its key in the same transaction, and only if nobody else did since it
// was read: so changes of a token come one after the other, wherever from.
package etcdstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/sttts/elastic-etcd/discovery/server/internal/wake"
)

const (
	// root is below nothing that etcd's own v3 discovery uses: its member IDs
	// are made in another way, so the two must never share a token.
	root = "/elastic-etcd/discovery-v1/"

	// opTime bounds what is done for one request, an election included.
	opTime = 10 * time.Second

	dialTime      = 5 * time.Second
	keepAliveTime = 5 * time.Second // a member that is gone is left after two

	// stripes bounds the locks of this instance.
	stripes = 256
)

// Config names an etcd cluster and who we are to it.
type Config struct {
	Endpoints      []string
	TLS            *tls.Config // nil = in the clear
	User, Password string

	// Limit is the size in bytes of the etcd's database at which the store takes
	// no more tokens, and no registrations but those of founders, where the etcd
	// does not tell its quota: then 80% of that count. 0 is none.
	Limit int64
}

// Store is a server.Store in an etcd v3 cluster.
type Store struct {
	nobody  *clientv3.Client // asks without saying who it is
	login   login            // the same client where there is no user
	gauge   gauge
	changes wake.Tokens
	seed    maphash.Seed
	locks   [stripes]chan struct{}

	stop    context.CancelFunc
	running sync.WaitGroup
}

// Open prepares to use a cluster, which need not be up: a service that starts
// before its etcd serves as soon as that does.
func Open(c Config) (*Store, error) {
	conf := clientv3.Config{
		Endpoints: c.Endpoints, TLS: c.TLS,
		DialTimeout: dialTime, DialKeepAliveTime: keepAliveTime, DialKeepAliveTimeout: keepAliveTime,
		Logger: zap.NewNop(),
		// An etcd that is down is asked again within seconds, not minutes.
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: dialTime,
		})},
	}
	nobody, err := clientv3.New(conf)
	if err != nil {
		return nil, fmt.Errorf("open discovery store in etcd: %w", err)
	}
	conf.Username, conf.Password = c.User, c.Password
	return start(nobody, conf, c), nil
}

func start(nobody *clientv3.Client, conf clientv3.Config, c Config) *Store {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Store{nobody: nobody, login: login{told: make(chan struct{})}, seed: maphash.MakeSeed(), stop: cancel}
	s.gauge = gauge{endpoints: c.Endpoints, status: s.status, limit: c.Limit}
	for i := range s.locks {
		s.locks[i] = make(chan struct{}, 1)
	}
	if c.User == "" {
		s.login.tell(nobody, nil)
	} else {
		s.running.Go(func() { s.login.open(ctx, conf) })
	}
	s.running.Go(func() { s.watch(ctx) })
	return s
}

func (s *Store) status(ctx context.Context, endpoint string) (*clientv3.StatusResponse, error) {
	client, err := s.login.get(ctx)
	if err != nil {
		return nil, err
	}
	return client.Status(ctx, endpoint)
}

// Close implements server.Store.
func (s *Store) Close() error {
	s.stop()
	s.running.Wait()
	err := s.nobody.Close()
	if client, _, _ := s.login.state(); client != nil && client != s.nobody {
		err = errors.Join(err, client.Close())
	}
	return err
}

// lock keeps the changes that this instance makes to one token, or to two of
// one stripe, from getting into one another's way.
func (s *Store) lock(ctx context.Context, token string) (unlock func(), err error) {
	l := s.locks[maphash.String(s.seed, token)%stripes]
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func tokenKey(token string) string      { return root + "tokens/" + token }
func memberPrefix(token string) string  { return root + "members/" + token + "/" }
func memberKey(token, id string) string { return memberPrefix(token) + id }

func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", operation, err)
}
