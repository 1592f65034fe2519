package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// checkRegistration wants what etcd can read: name=url[,name=url], with one
// name. Whatever else took a founder's place would spoil the token: every etcd
// of it would end with an error (types.NewURLsMap, types.NewURLs).
func checkRegistration(value string) error {
	list := pairs(value)
	if len(list) == 0 || len(list) != 1+strings.Count(value, ",") {
		return badRegistration("want name=url[,name=url]")
	}
	for _, p := range list {
		if p.name == "" || p.name != list[0].name {
			return badRegistration("want one name, and not an empty one")
		}
		if err := checkPeerURL(p.url); err != nil {
			return badRegistration(fmt.Sprintf("peer URL %.80q: %v", p.url, err))
		}
	}
	return nil
}

func badRegistration(cause string) error {
	return &protocolError{status: http.StatusBadRequest, code: codeInvalidForm, cause: "value: " + cause}
}

func checkPeerURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return errors.New("it cannot be parsed")
	}
	switch u.Scheme {
	case "http", "https":
		host, port, err := net.SplitHostPort(u.Host)
		if err != nil || host == "" || port == "" || u.Path != "" {
			return errors.New("want scheme://host:port")
		}
	case "unix", "unixs": // etcd takes them, for tests on one machine
	default:
		return errors.New("want http or https")
	}
	return nil
}

// pair is one name=url of a registration.
type pair struct{ name, url string }

// pairs reads a registration as etcd does; what is not one has none.
func pairs(value string) []pair {
	var list []pair
	for p := range strings.SplitSeq(value, ",") {
		if name, url, found := strings.Cut(p, "="); found {
			list = append(list, pair{strings.TrimSpace(name), strings.TrimSpace(url)})
		}
	}
	return list
}

// same tells whether two peer URLs lead to one place, as far as spelling goes.
func same(a, b string) bool { return strings.EqualFold(a, b) }
