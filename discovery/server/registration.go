package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// checkRegistration wants what every host of the token can read: name=url
// [,name=url], with one name and different URLs. Whatever else took a founder's
// place would spoil the token: every etcd or elastic-etcd of it would end with an
// error (types.NewURLsMap, types.NewURLs, joiner.PeerURLs).
func checkRegistration(value string) error {
	list := pairs(value)
	if len(list) == 0 || len(list) != 1+strings.Count(value, ",") {
		return badRegistration("want name=url[,name=url]")
	}
	if err := checkName(list[0].name); err != nil {
		return badRegistration(err.Error())
	}
	for i, p := range list {
		if p.name != list[0].name {
			return badRegistration("want one name")
		}
		if err := checkPeerURL(p.url); err != nil {
			return badRegistration(fmt.Sprintf("peer URL %.80q: %v", p.url, err))
		}
		if slices.ContainsFunc(list[:i], func(other pair) bool { return same(other.url, p.url) }) {
			return badRegistration(fmt.Sprintf("peer URL %.80q is there twice", p.url))
		}
	}
	return nil
}

func badRegistration(cause string) error {
	return &protocolError{status: http.StatusBadRequest, code: codeInvalidForm, cause: "value: " + cause}
}

// checkName refuses spaces around a name too: etcd takes them for a part of it,
// and nobody sees that two such names differ.
func checkName(name string) error {
	const most = 255
	switch {
	case name == "" || len(name) > most:
		return fmt.Errorf("want a name of 1 to %d bytes", most)
	case strings.TrimSpace(name) != name:
		return errors.New("want a name without spaces around it")
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("want a printable name")
	}
	return nil
}

func checkPeerURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return errors.New("it cannot be parsed")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("want http or https")
	}
	host, port, err := net.SplitHostPort(u.Host)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
		return errors.New("want scheme://host:port")
	}
	if !isHostName(host) && !isIP(host) {
		return errors.New("want a host name or an IP address")
	}
	if u.User != nil || u.Path != "" || u.RawQuery != "" || strings.ContainsAny(s, "?#") {
		return errors.New("want scheme://host:port and nothing else")
	}
	return nil
}

// isIP wants a zone, if there is one, to be the name of an interface.
func isIP(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.Zone() == "" || isHostName(addr.Zone()))
}

// pair is one name=url of a registration.
type pair struct{ name, url string }

// pairs reads a registration as etcd does: it trims a URL and no name. What is
// not one has none.
func pairs(value string) []pair {
	var list []pair
	for p := range strings.SplitSeq(value, ",") {
		if name, url, found := strings.Cut(p, "="); found {
			list = append(list, pair{name, strings.TrimSpace(url)})
		}
	}
	return list
}

// same tells whether two peer URLs lead to one place, as far as spelling goes.
func same(a, b string) bool { return strings.EqualFold(plain(a), plain(b)) }

// plain writes an address in one way, a name without a dot at its end, and a
// port without leading zeros.
func plain(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.Unmap().String()
	}
	return u.Scheme + "://" + net.JoinHostPort(host, strings.TrimLeft(u.Port(), "0"))
}
