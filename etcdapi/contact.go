package etcdapi

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/sttts/elastic-etcd/joiner"
)

// port is what kind of port a URL leads to.
type port string

const (
	peerPort   port = "peer"
	clientPort port = "client"
)

// contact is an address to ask.
type contact struct {
	port port
	url  string // scheme://host:port
}

// parseContact takes what etcd takes for a URL of a member, http and https
// only: unix sockets of another host are of no use.
func parseContact(p port, raw string) (contact, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return contact{}, fmt.Errorf("%s URL %q cannot be parsed", p, joiner.ShownURL(raw))
	}
	host, number, err := net.SplitHostPort(u.Host)
	if n, e := strconv.ParseUint(number, 10, 16); err != nil || e != nil || host == "" || n == 0 {
		return contact{}, fmt.Errorf("%s URL %q: want scheme://host:port", p, joiner.ShownURL(raw))
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return contact{}, fmt.Errorf("%s URL %q: the scheme must be http or https", p, joiner.ShownURL(raw))
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return contact{}, fmt.Errorf("%s URL %q: want scheme://host:port and nothing behind it", p, joiner.ShownURL(raw))
	}
	return contact{p, origin(u.Scheme, u.Host)}, nil
}

// origin is scheme://host:port. A zone in the host (fe80::1%eth0) is written
// with %25 again.
func origin(scheme, host string) string { return (&url.URL{Scheme: scheme, Host: host}).String() }

func parseEndpoint(raw, scheme string) (contact, error) {
	if !strings.Contains(raw, "://") {
		raw = scheme + "://" + raw
	}
	return parseContact(clientPort, raw)
}

// parseContacts skips what cannot be asked.
func parseContacts(p port, raw []string) []contact {
	var list []contact
	for _, s := range raw {
		if c, err := parseContact(p, s); err == nil {
			list = append(list, c)
		}
	}
	return list
}

// guess is where the client port might be of a member of which only the peer
// URL is known.
func (a *API) guess(peer contact) contact {
	u, err := url.Parse(peer.url)
	if err != nil {
		return contact{}
	}
	scheme := a.clientScheme
	if u.Scheme == "https" {
		scheme = u.Scheme
	}
	return contact{clientPort, origin(scheme, net.JoinHostPort(u.Hostname(), strconv.Itoa(a.clientPort)))}
}
