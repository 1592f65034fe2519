package etcdapi

import (
	"context"
	"net"
	"sync"
)

// politeConn does not listen before it has asked. A gRPC server speaks first,
// which net/http takes for a stray answer and writes to the standard log.
type politeConn struct {
	net.Conn
	asked chan struct{}
	once  sync.Once
}

func dialPolite(ctx context.Context, _, addr string) (net.Conn, error) {
	conn, err := dialShortLived(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &politeConn{Conn: conn, asked: make(chan struct{})}, nil
}

func (c *politeConn) Read(p []byte) (int, error) {
	<-c.asked
	return c.Conn.Read(p)
}

func (c *politeConn) Write(p []byte) (int, error) {
	c.once.Do(func() { close(c.asked) })
	return c.Conn.Write(p)
}

func (c *politeConn) Close() error {
	c.once.Do(func() { close(c.asked) })
	return c.Conn.Close()
}
