package etcdapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sttts/elastic-etcd/joiner"
)

const secret = "open sesame"

// guard is a gRPC server with auth on, as far as authConn sees it.
type guard struct {
	grpc.ClientConnInterface
	mu     sync.Mutex      // of what follows
	off    bool            // auth is not enabled
	hangs  bool            // Authenticate waits for a quorum that does not come
	named  error           // what a certificate's user gets
	old    bool            // errors are those of 3.4's alarms
	valid  string          // the token that is
	crowd  *sync.WaitGroup // how many are to be refused before anybody hears of it
	other  string          // the password, where it is not the secret
	denies func()          // runs when a password is wrong
	logins int
}

func (g *guard) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	if method == pb.Auth_Authenticate_FullMethodName {
		return g.login(ctx, args.(*pb.AuthenticateRequest), reply.(*pb.AuthenticateResponse))
	}
	err := g.check(ctx)
	if err != nil && g.crowd != nil {
		g.crowd.Done()
		g.crowd.Wait()
	}
	return err
}

func (g *guard) check(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	md, _ := metadata.FromOutgoingContext(ctx)
	switch token := strings.Join(md.Get(rpctypes.TokenFieldNameGRPC), ""); {
	case g.off, token == g.valid && token != "":
		return nil
	case token != "" && g.old:
		return status.Error(codes.Unknown, "auth: invalid auth token")
	case token != "":
		return rpctypes.ErrGRPCInvalidAuthToken
	case g.named != nil:
		return g.named
	case g.old:
		return status.Error(codes.Unknown, "auth: user name is empty")
	}
	return rpctypes.ErrGRPCUserEmpty
}

func (g *guard) login(ctx context.Context, req *pb.AuthenticateRequest, res *pb.AuthenticateResponse) error {
	if g.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.logins++
	switch {
	case g.off:
		return rpctypes.ErrGRPCAuthNotEnabled
	case req.Name != "root" || req.Password != cmp.Or(g.other, secret):
		g.denies()
		return rpctypes.ErrGRPCAuthFailed
	}
	g.valid = fmt.Sprintf("token%d", g.logins)
	res.Token = g.valid
	return nil
}

func (g *guard) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.logins
}

func call(ctx context.Context, c *authConn) error {
	return c.Invoke(ctx, "/etcdserverpb.Maintenance/Status", nil, nil)
}

func TestAuthConn(t *testing.T) {
	root, wrong := Credentials{User: "root", Password: secret}, Credentials{User: "root", Password: "a guess"}
	for _, c := range []struct {
		name   string
		guard  *guard
		as     Credentials
		tell   bool
		reason joiner.Reason
		fails  bool
		logins int
	}{
		{name: "nobody", tell: true, reason: joiner.AuthRequired, fails: true},
		{name: "root", as: root, tell: true, logins: 1},
		{name: "a wrong password", as: wrong, tell: true, reason: joiner.AuthFailed, fails: true, logins: 1},
		{name: "auth is off", guard: &guard{off: true}, as: root, tell: true},
		{name: "a certificate that may nothing", guard: &guard{named: rpctypes.ErrGRPCPermissionDenied}, tell: true, fails: true},
		{name: "a certificate that may nothing, and root", guard: &guard{named: rpctypes.ErrGRPCPermissionDenied}, as: root, tell: true, logins: 1},
		{name: "a certificate of nobody, and root", guard: &guard{named: rpctypes.ErrGRPCUserNotFound}, as: root, tell: true, logins: 1},
		{name: "nobody, of 3.4", guard: &guard{old: true}, tell: true, reason: joiner.AuthRequired, fails: true},
		{name: "never in the clear", as: root, reason: joiner.AuthFailed, fails: true},
	} {
		if c.guard == nil {
			c.guard = &guard{}
		}
		c.guard.denies = func() {}
		conn := newAuthConn(c.guard, c.as, c.tell)
		err := call(context.Background(), conn)
		if (err != nil) != c.fails || bar(err) != c.reason || c.guard.count() != c.logins {
			t.Errorf("%s: %v (%q) after %d logins, want %q after %d", c.name, err, bar(err), c.guard.count(), c.reason, c.logins)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), wrong.Password)) {
			t.Errorf("%s: the error has the password: %v", c.name, err)
		}
	}
}

// A token ends: one of those who notice fetches the next.
func TestAuthConnRenews(t *testing.T) {
	const callers = 8
	g := &guard{}
	c := newAuthConn(g, Credentials{User: "root", Password: secret}, true)
	for _, g.old = range []bool{false, true} {
		g.crowd = &sync.WaitGroup{}
		g.crowd.Add(callers)
		var calls sync.WaitGroup
		for range callers {
			calls.Go(func() {
				if err := call(context.Background(), c); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		g.valid = "none" // it ran out
	}
	if g.count() != 2 {
		t.Errorf("%d logins for 2 tokens", g.count())
	}
}

// A password is changed in its file, before the cluster wants it or just as that
// refuses the old one.
func TestPasswordIsReadAgain(t *testing.T) {
	for _, inTime := range []bool{true, false} {
		as := inFile(t, secret)
		change := func() { writeFile(t, as.File, "another\n") }
		g := &guard{other: "another", denies: change}
		if inTime {
			change()
		}
		c := newAuthConn(g, as, true)
		if err := call(t.Context(), c); err != nil {
			t.Errorf("in time %t: %v", inTime, err)
		}
		g.valid, g.denies = "none", func() {} // it ran out
		writeFile(t, as.File, "a guess\n")
		if err := call(t.Context(), c); bar(err) != joiner.AuthFailed || !wrongPassword(err) {
			t.Errorf("in time %t, and wrong: %v", inTime, err)
		}
	}
}

// What a file does not say changes nothing.
func TestPasswordFileMakesNoSense(t *testing.T) {
	as := inFile(t, secret)
	for _, text := range []string{"", "\n", "two\nlines\n"} {
		writeFile(t, as.File, text)
		if got := as.now(); got != as {
			t.Errorf("%q: %q", text, got.Password)
		}
	}
	as.File += "x"
	if got := as.now(); got != as {
		t.Errorf("no file: %q", got.Password)
	}
}

func inFile(t *testing.T, password string) Credentials {
	t.Helper()
	as := Credentials{User: "root", Password: password, File: filepath.Join(t.TempDir(), "password")}
	writeFile(t, as.File, password+"\n")
	return as
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Without a quorum nobody can log in: that is no word on the password, and it
// ends when the caller says so, also for one who waits for his turn behind
// somebody more patient.
func TestAuthConnIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newAuthConn(&guard{hangs: true}, Credentials{User: "root", Password: secret}, true)
		start := time.Now()
		var calls sync.WaitGroup
		for _, patience := range []time.Duration{time.Hour, time.Second} {
			calls.Go(func() {
				why := fmt.Errorf("%s are over", patience)
				ctx, cancel := context.WithTimeoutCause(t.Context(), patience, why)
				defer cancel()
				if err := call(ctx, c); !errors.Is(err, why) || bar(err) != "" || time.Since(start) != patience {
					t.Errorf("after %s: %v (%q), want %v", time.Since(start), err, bar(err), why)
				}
			})
			synctest.Wait()
		}
		calls.Wait()
	})
}

func TestCredentialsHideThePassword(t *testing.T) {
	c := Config{As: Credentials{User: "root", Password: secret}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, c); strings.Contains(s, secret) {
			t.Errorf("%s: %s", format, s)
		}
	}
}

func TestMayTell(t *testing.T) {
	for _, c := range []struct {
		client TLSFiles
		url    string
		want   bool
	}{
		{TLSFiles{}, "http://10.0.0.1:2379", true},
		{TLSFiles{}, "https://10.0.0.1:2379", true},
		{TLSFiles{CA: "ca"}, "http://10.0.0.1:2379", false},
		{TLSFiles{CA: "ca"}, "https://10.0.0.1:2379", true},
		{TLSFiles{CA: "ca"}, "http://10.0.0.9:2379", true}, // named
	} {
		a := &API{endpoints: []contact{{clientPort, "http://10.0.0.9:2379"}}, clientScheme: "http"}
		a.defaults(Config{Client: c.client, ProbeTimeout: 1, ClientPort: 1})
		if got := a.mayTell(c.url); got != c.want {
			t.Errorf("%v, %s: %v", c.client, c.url, got)
		}
	}
}
