package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sttts/elastic-etcd/discovery/registry"
	"github.com/sttts/elastic-etcd/joiner"
)

// V3Config names a token in a v3 etcd; the fields are etcd's --discovery-*
// flags.
type V3Config struct {
	Token     string
	Endpoints []string

	DialTimeout, RequestTimeout, KeepAliveTime, KeepAliveTimeout time.Duration

	CA, Cert, Key      string // PEM files
	InsecureTransport  bool   // no TLS to endpoints without a scheme, unless there are files
	InsecureSkipVerify bool

	User, Password string
}

// V3 is one token in a v3 etcd, of any cluster but the one that is founded.
type V3 struct {
	c    V3Config
	conf clientv3.Config
	name string // for people

	mu     sync.Mutex // of what follows
	client *clientv3.Client
}

// NewV3 checks a token and reads the TLS files; nothing is sent yet.
func NewV3(c V3Config) (*V3, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	conf, err := clientv3.NewClientConfig(&clientv3.ConfigSpec{
		Endpoints: c.Endpoints, DialTimeout: c.DialTimeout, RequestTimeout: c.RequestTimeout,
		KeepAliveTime: c.KeepAliveTime, KeepAliveTimeout: c.KeepAliveTimeout,
		MaxCallRecvMsgSize: maxBody, Secure: c.secure(), Auth: &clientv3.AuthConfig{Username: c.User, Password: c.Password},
	}, zap.NewNop())
	if err != nil {
		return nil, fmt.Errorf("read the TLS files: %w", err)
	}
	return newV3(c, *conf), nil
}

func newV3(c V3Config, conf clientv3.Config) *V3 {
	conf.Logger = zap.NewNop()
	// An etcd that is down is asked again within seconds, not minutes.
	conf.DialOptions = []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
		MinConnectTimeout: c.DialTimeout,
	})}
	return &V3{c: c, conf: conf, name: fmt.Sprintf("discovery token %q at %s", c.Token, strings.Join(c.Endpoints, ","))}
}

func (c V3Config) secure() *clientv3.SecureConfig {
	return &clientv3.SecureConfig{
		Cacert: c.CA, Cert: c.Cert, Key: c.Key,
		InsecureTransport: c.InsecureTransport, InsecureSkipVerify: c.InsecureSkipVerify,
	}
}

// check takes the tokens that etcd and elastic-etcd look for under one key:
// etcd cleans the path that it makes of a token.
func (c V3Config) check() error {
	const most = 1024
	switch {
	case c.Token == "" || len(c.Token) > most:
		return fmt.Errorf("%d bytes are not a token (1 to %d)", len(c.Token), most)
	case strings.ContainsFunc(c.Token, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("the token %s has unprintable characters", quote(c.Token))
	case path.Join(registry.Dir, c.Token) != registry.Dir+"/"+c.Token:
		return fmt.Errorf("the token %s is not a plain path", quote(c.Token))
	case len(c.Endpoints) == 0 || slices.Contains(c.Endpoints, ""):
		return errors.New("no discovery endpoints, or an empty one")
	case c.DialTimeout <= 0 || c.RequestTimeout <= 0:
		return errors.New("the timeouts must be longer than zero")
	}
	for _, e := range c.Endpoints {
		if strings.Contains(e, "@") {
			return errors.New("a user or password in a discovery endpoint is not supported: give -discovery-user")
		}
	}
	return nil
}

func (v *V3) key(parts ...string) string {
	return path.Join(append([]string{registry.Dir, v.c.Token}, parts...)...)
}

// Look reads the size and the registrations, as of one revision.
func (v *V3) Look(ctx context.Context) joiner.Discovery {
	d := joiner.Discovery{Kind: joiner.KindV3, Source: v.name, Token: v.c.Token}
	err := v.ask(ctx, func(ctx context.Context, kv clientv3.KV) error {
		return v.read(ctx, kv, &d)
	})
	if err != nil {
		d.Size, d.Entries, d.Missing, d.Invalid = 0, nil, false, ""
		d.Error, d.Refuses = v.name+": "+v3Reason(err), v3Refuses(err)
	}
	return d
}

func (v *V3) read(ctx context.Context, kv clientv3.KV, d *joiner.Discovery) error {
	// etcd asks for this prefix, without a slash behind it.
	members := v.key("members")
	resp, err := kv.Txn(ctx).Then(
		clientv3.OpGet(v.key(registry.Size)),
		clientv3.OpGet(members, clientv3.WithPrefix(), clientv3.WithLimit(maxEntries+1)),
	).Commit()
	if err != nil {
		return err
	}
	size := resp.Responses[0].GetResponseRange().Kvs
	if d.Missing = len(size) == 0; d.Missing {
		return nil
	}
	d.Size, d.Invalid = sizeOf(string(size[0].Value))
	found := resp.Responses[1].GetResponseRange().Kvs
	if len(found) > maxEntries {
		return fmt.Errorf("more than %d registrations are too many", maxEntries)
	}
	d.Entries = v3Entries(members, found)
	return nil
}

// v3Entries orders registrations by their creation. It leaves out what etcd
// leaves out (clusterInfo.add): whatever takes a place for etcd must take the
// same place here.
func v3Entries(prefix string, found []*mvccpb.KeyValue) []joiner.Entry {
	seen := map[string]bool{}
	kept := slices.DeleteFunc(slices.Clone(found), func(kv *mvccpb.KeyValue) bool {
		key := strings.TrimSpace(string(kv.Key))
		if seen[key] || !strings.Contains(string(kv.Value), "=") {
			return true
		}
		seen[key] = true
		return false
	})
	slices.SortStableFunc(kept, func(a, b *mvccpb.KeyValue) int { return cmp.Compare(a.CreateRevision, b.CreateRevision) })
	list := make([]joiner.Entry, len(kept))
	for i, kv := range kept {
		key := strings.TrimPrefix(strings.TrimSpace(string(kv.Key)), prefix+"/")
		list[i] = joiner.Entry{Key: key, Value: strings.TrimSpace(string(kv.Value))}
	}
	return list
}

// Register creates an entry in one transaction. One that exists with the same
// value is fine: a former run made it. etcd itself would overwrite one.
func (v *V3) Register(ctx context.Context, e joiner.Entry) error {
	key := v.key("members", e.Key)
	err := v.ask(ctx, func(ctx context.Context, kv clientv3.KV) error {
		resp, err := kv.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
			Then(clientv3.OpPut(key, e.Value)).Else(clientv3.OpGet(key)).Commit()
		if err != nil || resp.Succeeded {
			return err
		}
		if old := resp.Responses[0].GetResponseRange().Kvs; len(old) > 0 && string(old[0].Value) != e.Value {
			return fmt.Errorf("it is registered already, as %s", quote(string(old[0].Value)))
		}
		return nil
	})
	if err == nil {
		return nil
	}
	return fmt.Errorf("register %s as %s under %s: %s", quote(e.Value), quote(e.Key), v.name, v3Reason(err))
}

// ask does one request in its time. The client is made at the first one,
// because with a user it logs in then.
func (v *V3) ask(ctx context.Context, request func(context.Context, clientv3.KV) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, v.c.DialTimeout+v.c.RequestTimeout)
	defer cancel()
	if v.client == nil {
		client, err := clientv3.New(v.conf)
		if err != nil {
			return v.orWhy(ctx, err)
		}
		v.client = client
	}
	return request(ctx, kvOf(v.client))
}

// kvOf asks without the client's own call options, that wait for a server to
// come.
func kvOf(c *clientv3.Client) clientv3.KV {
	return clientv3.NewKVFromKVClient(pb.NewKVClient(c.ActiveConnection()), nil)
}

// orWhy finds out why a login got no answer, which the client does not tell:
// by asking as nobody.
func (v *V3) orWhy(ctx context.Context, failed error) error {
	nobody := v.conf
	nobody.Username, nobody.Password = "", ""
	client, err := clientv3.New(nobody)
	if err != nil {
		return failed
	}
	defer client.Close()
	if _, err := kvOf(client).Get(ctx, v.key(registry.Size)); status.Code(err) == codes.Unavailable {
		return err
	}
	return failed
}

// Close ends the connections.
func (v *V3) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.client == nil {
		return nil
	}
	return v.client.Close()
}

// v3Reason tells in one plain line why a request failed. gRPC gives the cause
// of a lost connection as text only.
func v3Reason(err error) string {
	var etcd rpctypes.EtcdError
	text := lostOver(err)
	switch {
	case errors.As(err, &etcd):
		return "the etcd refuses: " + plain(err)
	case speaksNoGRPC(err):
		return "the port speaks no gRPC, as that of an etcd 2"
	case strings.Contains(text, "tls: "):
		return "TLS: " + strings.TrimPrefix(plain(errors.New(text)), "tls: ")
	case status.Code(err) == codes.DeadlineExceeded, endedInTime(text):
		return "no complete answer in time"
	case strings.Contains(text, "connection refused"):
		return "connection refused"
	case status.Code(err) == codes.Unavailable:
		return plain(errors.New(text))
	}
	return reason(err)
}

// lostOver is gRPC's text without what it puts around the cause.
func lostOver(err error) string {
	text := status.Convert(err).Message()
	if inner, lost := strings.CutPrefix(text, `connection error: desc = "`); lost {
		text = strings.TrimSuffix(inner, `"`)
	}
	for _, around := range []string{"transport: ", "authentication handshake failed: ", "error reading server preface: ", "Error while dialing: "} {
		text = strings.TrimPrefix(text, around)
	}
	return text
}

// endedInTime tells whether gRPC gave up on a server that said nothing: it
// closes the connection under its own read.
func endedInTime(text string) bool {
	return strings.Contains(text, "deadline exceeded") || strings.Contains(text, "i/o timeout") || strings.Contains(text, "use of closed network connection")
}

func speaksNoGRPC(err error) bool {
	return strings.Contains(err.Error(), "looked like an HTTP/1.1 header")
}

// noEtcd3 tells whether somebody else lives there: a web server, or one with
// other services.
func noEtcd3(err error) bool {
	web := strings.Contains(err.Error(), "unexpected HTTP status code") && !v3Down(err)
	return web || speaksNoGRPC(err) || status.Code(err) == codes.Unimplemented
}

// v3Down tells whether nobody is there, or nobody who can answer now.
func v3Down(err error) bool {
	code := status.Code(err)
	var etcd rpctypes.EtcdError
	if errors.As(err, &etcd) {
		code = etcd.Code()
	}
	if speaksNoGRPC(err) {
		return false
	}
	return code == codes.Unavailable || code == codes.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded)
}

// v3Refuses tells whether an etcd lives there and does not let this user in.
func v3Refuses(err error) bool {
	switch rpctypes.Error(err) {
	case rpctypes.ErrPermissionDenied, rpctypes.ErrAuthFailed, rpctypes.ErrUserEmpty, rpctypes.ErrUserNotFound:
		return true
	}
	return untrusted(err)
}
