package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/smallfile"
)

// Credentials say who we are to a cluster that has auth on. The zero value is
// nobody; a client certificate may still name a user.
type Credentials struct {
	User, Password string
	// File is where the password comes from, and is read again: it is changed
	// while a standby host waits for months. "" = it cannot change.
	File string
}

func (c Credentials) given() bool { return c.User != "" }

// now are the credentials of this moment; while the file makes no sense, as
// halfway through a change, or as a pipe that is used up, those of before.
func (c Credentials) now() Credentials {
	if c.File == "" {
		return c
	}
	if password, err := smallfile.Line(c.File); err == nil && password != "" {
		c.Password = password
	}
	return c
}

// String keeps the password out of whatever prints it.
func (c Credentials) String() string { return c.User }

// GoString does the same for %#v.
func (c Credentials) GoString() string { return fmt.Sprintf("%q", c.User) }

// authError says that a server lives and does not let us in: it is neither
// silent nor without a quorum.
type authError struct {
	reason   joiner.Reason // AuthRequired or AuthFailed
	err      error
	password bool // another one may help
}

func (e authError) Error() string { return e.err.Error() }
func (e authError) Unwrap() error { return e.err }

var (
	errWantsUser  = authError{reason: joiner.AuthRequired, err: errors.New("the cluster has auth on, and no user is given")}
	errInTheClear = errors.New("the password is not sent over plain http while TLS files are given (name the URL in -endpoints to do so)")
)

func errWrongPassword(user, what string) error {
	return authError{joiner.AuthFailed, fmt.Errorf("user %q %s", user, what), true}
}

// wrongPassword tells whether another password may help.
func wrongPassword(err error) bool {
	var refused authError
	return errors.As(err, &refused) && refused.password
}

// rotates tells whether a password is refused that comes from a file, and that
// was right before: it was changed in the cluster, and the file follows.
func (a *API) rotates(err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return wrongPassword(err) && a.as.File != "" && len(a.admitted) > 0
}

// notRoot says that a user may look, but not change the membership.
func (c Credentials) notRoot() error {
	if !c.given() {
		return authError{reason: joiner.AuthRequired, err: errors.New("the cluster has auth on, no user is given, and the client certificate, if there is one, is not of a user with the role root")}
	}
	return authError{reason: joiner.AuthFailed, err: fmt.Errorf("user %q has not the role root", c.User)}
}

// bar is what kind of bar an error is, "" where it is none.
func bar(err error) joiner.Reason {
	var refused authError
	switch {
	case errors.As(err, &refused):
		return refused.reason
	case errors.As(err, new(tlsError)):
		return joiner.TLSFailed
	}
	return ""
}

// mayTell tells whether a server may be sent the password. Addresses come from
// whoever can write to a discovery service; TLS files say that the admin
// wants to know whom he talks to.
func (a *API) mayTell(base string) bool {
	return a.clientScheme != "https" || strings.HasPrefix(base, "https://") ||
		slices.ContainsFunc(a.endpoints, func(c contact) bool { return c.url == base })
}

// admits finds out whether our user may change the membership of a cluster: a
// failed attempt in the middle of a change would be late. It is asked until
// the answer is yes.
func (a *API) admits(ctx context.Context, proof answer) *joiner.Barred {
	if a.isAdmitted(proof.cluster) {
		return nil
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	err := a.askAdmission(ctx, proof)
	var refused authError
	switch {
	case err == nil:
		a.admit(proof.cluster)
	case errors.As(err, &refused):
		return &joiner.Barred{Reason: refused.reason, Text: refused.Error()}
	}
	return nil // not known is no bar: the change itself would fail
}

func (a *API) askAdmission(ctx context.Context, proof answer) error {
	if proof.api == "v2" {
		c, err := a.v2Client(proof.url)
		if err != nil {
			return err
		}
		return c.admits(ctx, a.as)
	}
	c, err := a.conns.get(proof.url)
	if err != nil {
		return err
	}
	return c.admits(ctx, a.as)
}

func (a *API) isAdmitted(cluster joiner.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.admitted[cluster]
}

func (a *API) admit(cluster joiner.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.admitted[cluster] = true
}

// admits asks for the role root, which etcd shows to who has it, and to
// everybody where auth is off.
func (c v3Client) admits(ctx context.Context, as Credentials) error {
	_, err := c.auth.RoleGet(ctx, &pb.AuthRoleGetRequest{Role: rootRole})
	switch {
	case denied(err):
		return as.notRoot()
	case said(err, rpctypes.ErrGRPCRoleNotFound):
		return nil
	}
	return err
}

// rootRole is the role that membership changes take, in every etcd.
const rootRole = "root"

// admits asks for the role root, like v3's.
func (c v2Client) admits(ctx context.Context, as Credentials) error {
	res, _, err := c.Do(ctx, v2Get("v2/auth/roles/"+rootRole))
	switch {
	case err != nil:
		return v2Detail(err)
	case res.StatusCode != http.StatusUnauthorized:
		return nil
	case as.given():
		return errWrongPassword(as.User, "has another password or not the role root")
	}
	return errWantsUser
}

// said tells whether a server's answer is this one of etcd's. The alarms of
// etcd 3.4 give errors as "auth: ..." instead of "etcdserver: ...".
func said(err error, known error) bool {
	return err != nil && sentence(err) == sentence(known)
}

func sentence(err error) string {
	text := rpctypes.ErrorDesc(err)
	for _, prefix := range []string{"etcdserver: ", "auth: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// denied tells whether a user may not do that; one that only a certificate
// names may be unknown.
func denied(err error) bool {
	return status.Code(err) == codes.PermissionDenied || said(err, rpctypes.ErrGRPCPermissionDenied) || said(err, rpctypes.ErrGRPCUserNotFound)
}
