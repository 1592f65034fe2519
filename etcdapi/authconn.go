package etcdapi

import (
	"context"
	"fmt"
	"strings"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/sttts/elastic-etcd/joiner"
)

// authConn is a connection on which we say who we are, but only when the
// server asks: to find out takes it a quorum. client/v3 would do so when it
// dials, without a bound.
type authConn struct {
	grpc.ClientConnInterface
	as      Credentials
	mayTell bool
	turn    chan struct{} // who has put something in may authenticate

	mu    sync.Mutex // of what follows
	token string
}

func newAuthConn(conn grpc.ClientConnInterface, as Credentials, mayTell bool) *authConn {
	return &authConn{ClientConnInterface: conn, as: as, mayTell: mayTell, turn: make(chan struct{}, 1)}
}

// Invoke calls, and calls again as our user if the server wants one, or a new
// token.
func (c *authConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	token := c.current()
	err := c.ClientConnInterface.Invoke(withToken(ctx, token), method, args, reply, opts...)
	if !wantsUser(err, token) {
		return err
	}
	if !c.as.given() {
		return anonymous(err)
	}
	if token, authErr := c.renew(ctx, token); authErr != nil {
		return authErr
	} else if token != "" {
		return c.ClientConnInterface.Invoke(withToken(ctx, token), method, args, reply, opts...)
	}
	return err
}

// NewStream opens a stream with the token that is there: a call always comes
// first.
func (c *authConn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.ClientConnInterface.NewStream(withToken(ctx, c.current()), desc, method, opts...)
}

func withToken(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, rpctypes.TokenFieldNameGRPC, token)
}

// wantsUser tells whether another token than this one may help. A certificate
// may name a user, but one that may less than ours.
func wantsUser(err error, token string) bool {
	return said(err, rpctypes.ErrGRPCUserEmpty) ||
		said(err, rpctypes.ErrGRPCInvalidAuthToken) ||
		said(err, rpctypes.ErrGRPCAuthOldRevision) ||
		token == "" && denied(err)
}

func anonymous(err error) error {
	if said(err, rpctypes.ErrGRPCUserEmpty) {
		return errWantsUser
	}
	return err
}

func (c *authConn) current() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token
}

// renew gives another token than the old one, which somebody else may have
// fetched meanwhile; "" where the cluster has no auth any more.
func (c *authConn) renew(ctx context.Context, old string) (string, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if token := c.current(); token != old {
		return token, nil
	}
	token, err := c.authenticate(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
	return token, err
}

func (c *authConn) authenticate(ctx context.Context) (string, error) {
	if !c.mayTell {
		return "", authError{reason: joiner.AuthFailed, err: errInTheClear}
	}
	as := c.as.now()
	token, err := c.login(ctx, as)
	if again := c.as.now(); wrongPassword(err) && again != as { // it was changed just then
		return c.login(ctx, again)
	}
	return token, err
}

func (c *authConn) login(ctx context.Context, as Credentials) (string, error) {
	res, err := pb.NewAuthClient(c.ClientConnInterface).Authenticate(ctx, &pb.AuthenticateRequest{Name: as.User, Password: as.Password})
	switch {
	case err == nil:
		return res.Token, nil
	case said(err, rpctypes.ErrGRPCAuthNotEnabled):
		return "", nil
	case strings.Contains(rpctypes.ErrorDesc(err), "authentication failed"): // also that of a user without a password
		return "", errWrongPassword(as.User, "is unknown or its password is wrong")
	}
	return "", fmt.Errorf("authenticate as %q: %w", as.User, cause(ctx, err))
}
