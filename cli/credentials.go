package cli

import (
	"strings"

	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/smallfile"
)

// passwordVariable holds the password, for who wants no file: others see
// command lines, and so a password in -user=NAME:PASSWORD.
const passwordVariable = "ELASTIC_ETCD_PASSWORD"

// readCredentials reads -user, as NAME or as etcdctl's NAME:PASSWORD, and
// finds its password.
func (a *app) readCredentials(c values) (etcdapi.Credentials, error) {
	name, password, both := strings.Cut(c.String("user"), ":")
	file := c.String("password-file")
	variable, _ := a.environ.lookup(passwordVariable)
	switch {
	case name == "" && (both || file != "" || variable != ""):
		return etcdapi.Credentials{}, usagef("a password without a user: give -user=NAME, or neither")
	case name == "":
		return etcdapi.Credentials{}, nil
	case both && file != "":
		return etcdapi.Credentials{}, usagef("-user=%s:... has a password, and so has -password-file: give one", name)
	case both:
	case file != "":
		var err error
		if password, err = smallfile.Line(file); err != nil {
			return etcdapi.Credentials{}, usagef("-password-file: %w", err)
		}
	default:
		password = variable
	}
	if password == "" {
		return etcdapi.Credentials{}, usagef("user %q has no password: give -password-file=FILE or %s (the user of a certificate, -cert, needs neither -user nor these)", name, passwordVariable)
	}
	return etcdapi.Credentials{User: name, Password: password, File: file}, nil
}
