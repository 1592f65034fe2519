// Package discovery is the client side of discovery: it reads who registered
// with a discovery service, registers this host, and makes tokens.
package discovery

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"sort"
	"strconv"
	"strings"

	client "go.etcd.io/etcd/client/v2"

	"github.com/sttts/elastic-etcd/discovery/registry"
	"github.com/sttts/elastic-etcd/joiner"
)

// maxEntries bounds the registrations of one token: founders, and every host
// that announced itself later.
const maxEntries = 10000

// V2 is one token of a discovery service that speaks etcd's v2 keys API, as
// --discovery=URL of etcd 2.3 to 3.6 wants it.
type V2 struct {
	token   string // the URL as given, as etcd uses it (embed/config.go, PeerURLsMapAndToken)
	service string // scheme and host, for errors
	path    string
	keys    client.KeysAPI
}

// NewV2 checks a discovery URL and prepares to ask it; nothing is sent yet.
// An error says what is wrong with the URL or with the files of c.
func NewV2(rawURL string, c Config) (*V2, error) {
	u, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	t, err := newTransport(c)
	if err != nil {
		return nil, err
	}
	return connect(rawURL, u, t)
}

func connect(rawURL string, u *url.URL, t client.CancelableTransport) (*V2, error) {
	// A query goes with every request, as etcd 2.3 to 3.6 send it.
	endpoint := &url.URL{Scheme: u.Scheme, Host: u.Host, RawQuery: u.RawQuery}
	api, err := client.New(client.Config{Endpoints: []string{endpoint.String()}, Transport: t, CheckRedirect: checkRedirect})
	if err != nil {
		return nil, invalid(rawURL, reason(err))
	}
	return &V2{token: rawURL, service: u.Scheme + "://" + u.Host, path: u.Path, keys: client.NewKeysAPIWithPrefix(api, "")}, nil
}

// parse checks a discovery URL.
func parse(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return nil, invalid(rawURL, "it cannot be parsed")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid(rawURL, "the scheme must be http or https")
	case u.User != nil:
		// etcd never sends them, and as part of the cluster token they
		// would be written into configurations and logs.
		return nil, invalid(rawURL, "a user or password in it is not supported")
	case u.Hostname() == "":
		return nil, invalid(rawURL, "there is no host")
	case path.Clean("/"+u.Path) == "/":
		return nil, invalid(rawURL, "there is no token behind the host")
	}
	return u, nil
}

// invalid shows the URL, unless a password could be in it.
func invalid(rawURL, why string) error {
	if strings.Contains(rawURL, "@") {
		return fmt.Errorf("the discovery URL is not valid: %s", why)
	}
	return fmt.Errorf("discovery URL %s is not valid: %s", quote(rawURL), why)
}

// Look reads the size and the registrations. What fails is told in Error of
// the answer, in words for people. It takes at most twice requestTimeout.
func (v *V2) Look(ctx context.Context) joiner.Discovery {
	d := joiner.Discovery{Kind: joiner.KindV2, Token: v.token}
	var err error
	if d.Size, d.Invalid, err = v.size(ctx); err == nil {
		d.Entries, err = v.entries(ctx)
	}
	if err == nil {
		return d
	}
	d.Size, d.Entries, d.Invalid = 0, nil, ""
	if d.Missing = hasCode(err, client.ErrorCodeKeyNotFound); !d.Missing {
		d.Error, d.Refuses = v.service+": "+reason(err), hasCode(err, client.ErrorCodeUnauthorized) || untrusted(cause(err))
	}
	return d
}

func (v *V2) size(ctx context.Context) (size int, invalid string, err error) {
	n, err := v.get(ctx, path.Join("/", v.path, registry.Size))
	if err != nil {
		return 0, "", err
	}
	size, invalid = sizeOf(n.Value)
	return size, invalid, nil
}

// sizeOf reads the size of a token, or says why it is none. Nobody changes it
// after the token was made.
func sizeOf(value string) (size int, invalid string) {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil || n < 1 || n > joiner.MaxDiscoverySize {
		return 0, fmt.Sprintf("its size is %s, not a number from 1 to %d: make a new token", quote(value), joiner.MaxDiscoverySize)
	}
	return int(n), ""
}

func (v *V2) entries(ctx context.Context) ([]joiner.Entry, error) {
	n, err := v.get(ctx, v.path)
	if err != nil {
		return nil, err
	}
	return entries(n.Nodes)
}

// entries orders registrations by their creation. It leaves out what etcd's
// own discovery leaves out and nothing else: whatever takes a place for etcd
// must take the same place here, even a directory.
func entries(nodes client.Nodes) ([]joiner.Entry, error) {
	if len(nodes) > maxEntries {
		return nil, fmt.Errorf("%d registrations are too many (at most %d)", len(nodes), maxEntries)
	}
	kept := make(client.Nodes, 0, len(nodes))
	for _, n := range nodes {
		if n == nil {
			return nil, errors.New("one of the registrations is null")
		}
		if path.Base(n.Key) != path.Dir(registry.Size) {
			kept = append(kept, n)
		}
	}
	sort.SliceStable(kept, func(i, j int) bool { return kept[i].CreatedIndex < kept[j].CreatedIndex })
	found := make([]joiner.Entry, len(kept))
	for i, n := range kept {
		found[i] = joiner.Entry{Key: path.Base(n.Key), Value: n.Value}
	}
	return found, nil
}

// get reads with the word of the registry's quorum: a member of it that is
// behind, or alone, would say of who is registered that nobody is, and of a
// token that there is none. Who has no quorum to ask, as the present code of
// discovery.etcd.io, ignores it.
func (v *V2) get(ctx context.Context, key string) (*client.Node, error) {
	resp, err := v.keys.Get(ctx, key, &client.GetOptions{Quorum: true})
	if err != nil {
		return nil, err
	}
	if resp.Node == nil {
		return nil, errors.New("the answer has no node")
	}
	return resp.Node, nil
}

// Register creates an entry. One that exists with the same value is fine: a
// former run made it. Another value is an error; nothing is ever overwritten.
func (v *V2) Register(ctx context.Context, e joiner.Entry) error {
	key := path.Join("/", v.path, e.Key)
	_, err := v.keys.Create(ctx, key, e.Value)
	if hasCode(err, client.ErrorCodeNodeExist) {
		return v.compare(ctx, key, e)
	}
	return v.failed(e, err)
}

func (v *V2) compare(ctx context.Context, key string, e joiner.Entry) error {
	n, err := v.get(ctx, key)
	if hasCode(err, client.ErrorCodeKeyNotFound) {
		err = errors.New("another founder has this name or peer URL")
	}
	if err == nil && n.Value != e.Value {
		err = fmt.Errorf("it is registered already, as %s", quote(n.Value))
	}
	return v.failed(e, err)
}

func (v *V2) failed(e joiner.Entry, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("register %s as %s with %s: %s", quote(e.Value), quote(e.Key), v.service, reason(err))
}
