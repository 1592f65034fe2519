package etcdapi

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// conns are the gRPC connections, one for each client URL, kept as long as
// they work: gRPC waits ever longer before it dials a lost one again.
type conns struct {
	tls     *tls.Config
	as      Credentials
	mayTell func(url string) bool // whether a server may be sent the password

	mu     sync.Mutex // of what follows
	open   map[string]connection
	closed bool
}

// connection is one to one server.
type connection struct {
	client *clientv3.Client
	calls  *authConn
}

// v3Client asks one server, once: it fails at once where nobody listens, and
// tries nothing again.
type v3Client struct {
	clientv3.Cluster
	clientv3.Maintenance
	keys   pb.KVClient
	leases pb.LeaseClient
	auth   pb.AuthClient
}

func (c *conns) get(url string) (v3Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return v3Client{}, errors.New("the API is closed")
	}
	known, there := c.open[url]
	if !there {
		client, err := c.dial(url) // waits for nobody
		if err != nil {
			return v3Client{}, err
		}
		known = connection{client, newAuthConn(client.ActiveConnection(), c.as, c.mayTell(url))}
		c.open[url] = known
	}
	conn := known.calls
	// Without the client's own call options, that wait for a server to come.
	return v3Client{
		Cluster:     clientv3.NewClusterFromClusterClient(pb.NewClusterClient(conn), nil),
		Maintenance: clientv3.NewMaintenanceFromMaintenanceClient(pb.NewMaintenanceClient(conn), nil),
		keys:        pb.NewKVClient(conn),
		leases:      pb.NewLeaseClient(conn),
		auth:        pb.NewAuthClient(conn),
	}, nil
}

func (c *conns) dial(url string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints:       []string{url},
		TLS:             c.tls,
		Logger:          zap.NewNop(),
		MaxUnaryRetries: 1, // tries, despite its name
		DialOptions: []grpc.DialOption{
			grpc.WithNoProxy(),
			grpc.WithContextDialer(dialShortLived),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxBody)),
		},
	})
}

// drop closes a connection that failed.
func (c *conns) drop(url string) {
	c.mu.Lock()
	known, there := c.open[url]
	delete(c.open, url)
	c.mu.Unlock()
	if there {
		known.client.Close()
	}
}

func (c *conns) close() {
	c.mu.Lock()
	open := c.open
	c.open, c.closed = nil, true
	c.mu.Unlock()
	for _, known := range open {
		known.client.Close()
	}
}

// dropUnlessCanceled keeps the connection if it was us who gave up, or if it
// works and we are not let in.
func (c *conns) dropUnlessCanceled(url string, err error) {
	if !errors.Is(err, context.Canceled) && bar(err) == "" {
		c.drop(url)
	}
}
