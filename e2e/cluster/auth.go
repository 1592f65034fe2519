package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// User is a user of etcd's.
type User struct{ Name, Password string }

// Root may everything, Reader nothing.
var (
	Root   = User{"root", "the root's password"}
	Reader = User{"reader", "the reader's password"}
)

// EnableAuth turns auth on in the host's cluster, with the users Root and
// Reader. From then on the harness is Root, and a certificate of that name is
// too.
func (h *Host) EnableAuth() {
	h.lab.t.Helper()
	h.lab.WaitFor(h.Name+" to turn auth on", h.tryEnableAuth)
	h.lab.root = &Root
}

// ReenableAuth turns auth off and on again, which ends all tokens.
func (h *Host) ReenableAuth() {
	h.lab.t.Helper()
	h.lab.WaitFor(h.Name+" to turn auth off", func(ctx context.Context) error {
		_, err := h.Client().AuthDisable(ctx)
		return err
	})
	h.lab.root = nil
	h.EnableAuth()
}

// ChangePassword gives Root another password, and the harness too. Root itself
// stays as it is, for other labs.
func (h *Host) ChangePassword(to string) {
	h.lab.t.Helper()
	h.lab.WaitFor(h.Name+" to change root's password", func(ctx context.Context) error { return h.tryChangePassword(ctx, to) })
	h.lab.root = &User{Root.Name, to}
}

func (h *Host) tryChangePassword(ctx context.Context, to string) error {
	if strings.HasPrefix(h.Version, "2.") {
		return newV2(h).putUser(ctx, map[string]any{"user": Root.Name, "password": to})
	}
	a, err := newV3(h)
	if err != nil {
		return err
	}
	defer a.close()
	_, err = a.client.UserChangePassword(ctx, Root.Name, to)
	return err
}

func (h *Host) tryEnableAuth(ctx context.Context) error {
	if strings.HasPrefix(h.Version, "2.") {
		return newV2(h).enableAuth(ctx)
	}
	a, err := newV3(h)
	if err != nil {
		return err
	}
	defer a.close()
	return enableAuth3(ctx, a.client)
}

// enableAuth3 may be tried again.
func enableAuth3(ctx context.Context, c *clientv3.Client) error {
	for _, u := range []User{Root, Reader} {
		if _, err := c.UserAdd(ctx, u.Name, u.Password); err != nil && !errors.Is(err, rpctypes.ErrUserAlreadyExist) {
			return err
		}
	}
	if _, err := c.RoleAdd(ctx, "root"); err != nil && !errors.Is(err, rpctypes.ErrRoleAlreadyExist) {
		return err
	}
	if _, err := c.UserGrantRole(ctx, Root.Name, "root"); err != nil {
		return err
	}
	_, err := c.AuthEnable(ctx)
	return err
}

func (v *v2) enableAuth(ctx context.Context) error {
	for u, roles := range map[User][]string{Root: {"root"}, Reader: {}} {
		if err := v.putUser(ctx, map[string]any{"user": u.Name, "password": u.Password, "roles": roles}); err != nil {
			return err
		}
	}
	_, err := v.do(ctx, http.MethodPut, "/v2/auth/enable", "", nil)
	return err
}

func (v *v2) putUser(ctx context.Context, user map[string]any) error {
	body, err := json.Marshal(user)
	if err != nil {
		return err
	}
	_, err = v.do(ctx, http.MethodPut, fmt.Sprint("/v2/auth/users/", user["user"]), "application/json", body)
	return err
}

// Certs makes a certificate of this name for these addresses, by the CA of a
// Secure Lab.
func (l *Lab) Certs(name string, addrs ...string) Certs {
	l.t.Helper()
	if l.ca == nil {
		l.t.Fatalf("certificate of %s: the lab is not secure", name)
	}
	return *l.ca.issue(l.t, l.dir, name, addrs...)
}

// ForeignCerts makes a certificate by a CA that no host knows.
func (l *Lab) ForeignCerts(name string, addrs ...string) Certs {
	l.t.Helper()
	ca := l.newAuthority(filepath.Join(l.dir, "foreign-ca.pem"))
	return *ca.issue(l.t, l.dir, "foreign-"+name, addrs...)
}
