package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"unicode"

	client "go.etcd.io/etcd/client/v2"

	"github.com/sttts/elastic-etcd/smallfile"
)

// reason tells in one plain line why a request failed. It never shows a user
// or password, which a proxy's URL can have.
func reason(err error) string {
	err = cause(err)
	var dns *net.DNSError
	var etcd client.Error
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "the request was given up"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no complete answer in time"
	case errors.As(err, &dns):
		return fmt.Sprintf("the host %s cannot be resolved", quote(dns.Name))
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case strings.Contains(err.Error(), "tls: "): // the types are many, and some not exported
		// net/http sometimes sees the alert before it reads an answer.
		return "TLS: " + strings.TrimPrefix(strings.TrimPrefix(plain(err), "readLoopPeekFailLocked: "), "tls: ")
	case errors.As(err, &etcd):
		return fmt.Sprintf("the service refuses with etcd error %d: %s", etcd.Code, quote(etcd.Message+" ("+etcd.Cause+")"))
	case errors.Is(err, client.ErrInvalidJSON):
		return "the answer is JSON, but not as etcd writes it"
	}
	return plain(err)
}

// cause takes off what the libraries put around an error: etcd's "cluster is
// unavailable", and URLs, which the caller shows himself.
func cause(err error) error {
	var cluster *client.ClusterError
	if errors.As(err, &cluster) && len(cluster.Errors) > 0 {
		err = cluster.Errors[0]
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// hasCode tells whether the service itself answered with this etcd error.
func hasCode(err error, code int) bool {
	var e client.Error
	return errors.As(err, &e) && e.Code == code
}

// untrusted tells whether TLS failed in a way that does not mend by waiting.
// A certificate that is out of date does, and so does what the server calls its
// own trouble.
func untrusted(err error) bool {
	text := err.Error()
	if smallfile.OutOfDate(err) || strings.Contains(text, "tls: internal error") {
		return false
	}
	return strings.Contains(text, "tls: ") || errors.Is(err, http.ErrSchemeMismatch)
}

// plain is an error's own text on one bounded line, without the user of any
// URL in it.
func plain(err error) string {
	const most = 1000
	s := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, withoutUser(err.Error()))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// withoutUser blanks what stands between "://" and "@" of every URL in s. A
// password may hold anything but white space, so a word is looked at to its
// end.
func withoutUser(s string) string {
	before, rest, found := strings.Cut(s, "://")
	if !found {
		return s
	}
	word, rest := rest, ""
	if i := strings.IndexAny(word, " \t\r\n"); i >= 0 {
		word, rest = word[:i], word[i:]
	}
	if i := strings.LastIndexByte(word, '@'); i >= 0 {
		word = "xxxxx" + word[i:]
	}
	return before + "://" + word + withoutUser(rest)
}

// quote shows a value from outside, bounded and without the user of any URL
// in it.
func quote(s string) string {
	const most = 200
	s = withoutUser(s)
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
