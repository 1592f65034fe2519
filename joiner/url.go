package joiner

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// PeerURLs checks peer URLs by etcd's own rules (client/pkg/types/urls.go)
// and gives them sorted, as etcd does before it computes a member ID.
func PeerURLs(raw []string) ([]string, error) {
	if len(raw) == 0 {
		return nil, fmt.Errorf("no peer URL")
	}
	urls := make([]string, len(raw))
	for i, s := range raw {
		u, err := peerURL(s)
		if err != nil {
			return nil, err
		}
		urls[i] = u
	}
	slices.Sort(urls)
	if len(slices.Compact(slices.Clone(urls))) != len(urls) {
		return nil, fmt.Errorf("peer URL twice in %q", raw)
	}
	return urls, nil
}

// ShownURL is a URL that is refused, or what was meant to be one, as it may be
// shown: not with a password.
func ShownURL(s string) string {
	if i := strings.LastIndex(s, "@"); i >= 0 {
		return "xxxxx" + s[i:]
	}
	return s
}

func peerURL(s string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return "", fmt.Errorf("peer URL %q cannot be parsed", ShownURL(s))
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("peer URL %q: the scheme must be http or https", ShownURL(s))
	}
	host, port, err := net.SplitHostPort(u.Host)
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || host == "" || n == 0 {
		return "", fmt.Errorf("peer URL %q: want scheme://host:port", ShownURL(s))
	}
	if u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("peer URL %q: want scheme://host:port and nothing behind it", ShownURL(s))
	}
	return u.String(), nil
}

// sameURLs tells whether two members have the same set of peer URLs.
func sameURLs(a, b []string) bool {
	if len(a) == 1 && len(b) == 1 { // nearly always
		return a[0] == b[0]
	}
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// overlap tells whether two members share a peer URL. A member without any
// shares none.
func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(u string) bool { return slices.Contains(b, u) })
}

// find gives the first of the URLs that is so.
func find(urls []string, so func(*url.URL) bool) (string, bool) {
	i := slices.IndexFunc(urls, func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && so(u)
	})
	if i < 0 {
		return "", false
	}
	return urls[i], true
}

// local tells whether a URL leads every host to itself, or nowhere.
func local(u *url.URL) bool {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	addr = addr.Unmap()
	return err == nil && (addr.IsLoopback() || addr.IsUnspecified())
}
