package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// srvTimeout bounds all lookups of one look together.
const srvTimeout = 5 * time.Second

// SRVConfig names the records of a cluster in DNS, and this host in them.
type SRVConfig struct {
	Domain  string
	Service string // ends the names of the records, as etcd's --discovery-srv-name
	Server  string // host:port of the server to ask; "" = those of the system
	Token   string // of a cluster that is founded

	Name     string // of this host
	PeerURLs []string
}

// SRV are the records of a cluster: _etcd-server-ssl._tcp.DOMAIN and the like,
// as etcd looks them up (client/pkg/srv/srv.go).
type SRV struct {
	c        SRVConfig
	name     string // for people
	resolver srvResolver
}

// srvResolver is a net.Resolver, as much of it as is asked.
type srvResolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, list []*net.SRV, err error)
}

var (
	domainName  = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\.?$`)
	serviceName = regexp.MustCompile(`^[A-Za-z0-9-]{0,40}$`)
)

// NewSRV checks the names; nothing is asked yet.
func NewSRV(c SRVConfig) (*SRV, error) {
	if !domainName.MatchString(c.Domain) {
		return nil, fmt.Errorf("%s is not a domain", quote(c.Domain))
	}
	if !serviceName.MatchString(c.Service) {
		return nil, fmt.Errorf("%s cannot end the name of a service", quote(c.Service))
	}
	s := &SRV{c: c, name: "DNS SRV records of " + c.Domain, resolver: net.DefaultResolver}
	if c.Service != "" {
		s.name += " for " + c.Service
	}
	if c.Server == "" {
		return s, nil
	}
	if _, _, err := net.SplitHostPort(c.Server); err != nil {
		return nil, fmt.Errorf("the DNS server %s is not host:port", quote(c.Server))
	}
	s.resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, c.Server)
	}}
	return s, nil
}

// Look gives all that are in the records as founders: on the admin's word
// alone, and only if every lookup was answered and every record is of use.
//
// All founders must tell their etcds of one list, so it is ordered by URL and
// in lower case, and everybody is called by the host that the record names.
// Only this host has the name it was given; etcd does not mind, since IDs are
// made of the URLs, and its own SRV discovery numbers the others.
func (s *SRV) Look(ctx context.Context) joiner.Discovery {
	d := joiner.Discovery{Kind: joiner.KindSRV, Source: s.name, Token: s.c.Token}
	urls, err := s.servers(ctx)
	switch {
	case errors.As(err, new(*unusable)): // nobody knows how many there are to be
		d.Invalid = err.Error()
		return d
	case err != nil:
		d.Error = s.name + ": " + err.Error()
		return d
	}
	if both := inBoth(urls); both != "" {
		d.Invalid = fmt.Sprintf("both %s and %s list %s", s.record("etcd-server-ssl"), s.record("etcd-server"), both)
	}
	for _, p := range s.peers(urls) {
		d.Entries = append(d.Entries, joiner.Registration(p.Name, p.URLs, s.c.Token))
	}
	d.Size = len(d.Entries)
	return d
}

// inBoth is a host with its port that is listed with TLS and without: one
// member, and nobody knows which it speaks; "" = there is none.
func inBoth(urls []string) string {
	for _, u := range urls {
		if address, plain := strings.CutPrefix(u, "http://"); plain && slices.Contains(urls, "https://"+address) {
			return address
		}
	}
	return ""
}

// peers names the hosts behind URLs. Several that are this host's are one.
func (s *SRV) peers(urls []string) []joiner.Peer {
	var peers []joiner.Peer
	self := -1
	for _, u := range urls {
		switch own := slices.Contains(s.c.PeerURLs, u); {
		case own && self >= 0:
			peers[self].URLs = append(peers[self].URLs, u)
			continue
		case own:
			self = len(peers)
			peers = append(peers, joiner.Peer{Name: s.c.Name, URLs: []string{u}})
		default:
			peers = append(peers, joiner.Peer{Name: nameOf(u, urls), URLs: []string{u}})
		}
	}
	return peers
}

// nameOf is the host of a URL, with the port where the host alone is not one
// member.
func nameOf(u string, urls []string) string {
	_, address, _ := strings.Cut(u, "://")
	host, _, _ := net.SplitHostPort(address)
	for _, other := range urls {
		if other != u && strings.Contains(other, "://"+host+":") {
			return address
		}
	}
	return host
}

// Register is never asked for: DNS holds no registrations.
func (s *SRV) Register(context.Context, joiner.Entry) error {
	return errors.New(s.name + " hold no registrations")
}

// Hint gives where members and their clients are. Whatever is answered counts,
// and every lookup that failed is told.
func (s *SRV) Hint(ctx context.Context) joiner.Hint {
	h := joiner.Hint{Source: s.name}
	var asked sync.WaitGroup
	var serverErr, clientErr error
	asked.Go(func() { h.ClientURLs, clientErr = s.records(ctx, "etcd-client") })
	asked.Go(func() { h.PeerURLs, serverErr = s.records(ctx, "etcd-server") })
	asked.Wait()
	if serverErr == nil && len(h.PeerURLs)+len(h.ClientURLs) == 0 {
		serverErr = s.noServers()
	}
	if err := cmp.Or(serverErr, clientErr); err != nil {
		h.Error = err.Error()
	}
	if serverErr != nil && clientErr != nil {
		h.Error += "; " + clientErr.Error()
	}
	return h
}

// servers are the peer URLs. That there are none is an error.
func (s *SRV) servers(ctx context.Context) ([]string, error) {
	urls, err := s.records(ctx, "etcd-server")
	if err == nil && len(urls) == 0 {
		err = s.noServers()
	}
	return urls, err
}

func (s *SRV) noServers() error {
	return fmt.Errorf("there is neither %s nor %s", s.record("etcd-server-ssl"), s.record("etcd-server"))
}

func (s *SRV) record(service string) string {
	return "_" + s.service(service) + "._tcp." + s.c.Domain
}

func (s *SRV) service(service string) string {
	if s.c.Service != "" {
		return service + "-" + s.c.Service
	}
	return service
}

// records looks up a service with TLS and without, and gives all of both,
// sorted.
func (s *SRV) records(ctx context.Context, service string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, srvTimeout)
	defer cancel()
	var secure, plain []string
	var secureErr, plainErr error
	var asked sync.WaitGroup
	asked.Go(func() { secure, secureErr = s.lookup(ctx, service+"-ssl", "https") })
	asked.Go(func() { plain, plainErr = s.lookup(ctx, service, "http") })
	asked.Wait()
	urls := slices.Concat(secure, plain)
	slices.Sort(urls)
	return slices.Compact(urls), graver(secureErr, plainErr)
}

// unusable is the error of a record that DNS gives and nobody can use: it must
// be corrected, while a lookup that failed may mend by itself.
type unusable struct{ error }

// graver is an error of two, nil if both are. After a failure nobody knows all
// records, so it comes first.
func graver(a, b error) error {
	if b != nil && errors.As(a, new(*unusable)) {
		return b
	}
	return cmp.Or(a, b)
}

// lookup gives the URLs of one service. No record is no error.
func (s *SRV) lookup(ctx context.Context, service, scheme string) ([]string, error) {
	_, records, err := s.resolver.LookupSRV(ctx, s.service(service), "tcp", rooted(s.c.Domain))
	urls, bad := srvURLs(records, scheme)
	if err != nil && records != nil { // the resolver keeps back what it takes for no host name
		err, bad = nil, cmp.Or(bad, errors.New("the target of a record is no host name"))
	}
	switch {
	case err != nil:
		return nil, s.failure(service, err)
	case bad != nil:
		return urls, &unusable{fmt.Errorf("%s: %w", s.record(service), bad)}
	}
	return urls, nil
}

// rooted is a domain that no search list applies to. With one the resolver
// tells of the last name that it tried only: that there is no other name, after
// a failure for the one that was meant.
func rooted(domain string) string { return strings.TrimSuffix(domain, ".") + "." }

// failure says why a lookup failed; nil = there is no record, by the word of a
// server that answered for this very name.
func (s *SRV) failure(service string, err error) error {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
	case dns.IsNotFound && !dns.IsTemporary && !dns.IsTimeout:
		return nil
	case dns.IsTimeout:
		err = errors.New("no answer in time")
	case strings.HasSuffix(dns.Err, "connection refused"):
		err = errors.New("the DNS server refuses connections") // without our port, which is another one each time
	default:
		err = errors.New(dns.Err)
	}
	return fmt.Errorf("%s: %s", s.record(service), plain(err))
}

// srvURLs gives what can be asked. A record that leads nowhere is an error
// besides: it may be a founder's, and without it the list is not whole.
func srvURLs(records []*net.SRV, scheme string) (urls []string, err error) {
	for _, r := range records {
		host := strings.ToLower(strings.TrimSuffix(r.Target, "."))
		switch {
		case host == "":
			err = fmt.Errorf("the record %q with port %d has no host", r.Target, r.Port)
		case r.Port == 0:
			err = fmt.Errorf("the record %q has no port", r.Target)
		default:
			urls = append(urls, scheme+"://"+net.JoinHostPort(host, strconv.Itoa(int(r.Port))))
		}
	}
	return urls, err
}
