package cli

import (
	"strings"

	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/smallfile"
)

// passwordVariable holds the password, for who wants no file: others see
// command lines, and so a password in -user=NAME:PASSWORD.
const passwordVariable = "ELASTIC_ETCD_PASSWORD"

// maxPassword bounds a password file, in bytes.
const maxPassword = 4 << 10

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
		if password, err = readPasswordFile("-password-file", file); err != nil {
			return etcdapi.Credentials{}, err
		}
	default:
		password = variable
	}
	if password == "" {
		return etcdapi.Credentials{}, usagef("user %q has no password: give -password-file=FILE or %s (the user of a certificate, -cert, needs neither -user nor these)", name, passwordVariable)
	}
	return etcdapi.Credentials{User: name, Password: password}, nil
}

// readPasswordFile takes the only line of a file.
func readPasswordFile(flag, path string) (string, error) {
	text, err := smallfile.Read(path)
	switch {
	case err != nil:
		return "", usagef("%s: %w", flag, err)
	case len(text) > maxPassword:
		return "", usagef("%s=%s is longer than %d bytes", flag, path, maxPassword)
	}
	line, rest, _ := strings.Cut(string(text), "\n")
	if strings.TrimSpace(rest) != "" {
		return "", usagef("%s=%s has more than one line", flag, path)
	}
	return strings.TrimSuffix(line, "\r"), nil
}
