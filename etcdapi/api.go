// Package etcdapi looks at live etcd clusters and changes their membership:
// through client/v3, through client/v2 where a server is an etcd 2.3, and
// over plain HTTP on the peer port.
//
// Whatever answers is not trusted before it shows the cluster's ID: bodies
// and the number of addresses are bounded, redirects and proxies are not
// followed.
package etcdapi

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

const (
	defaultProbeTimeout = 2 * time.Second
	defaultClientPort   = 2379 // etcd's own
	// changeTimeout bounds one change of the membership. etcd itself gives
	// up on a proposal after about 7 s.
	changeTimeout = 5 * time.Second
	// windowOfChange is for how long after it is renewed an intent is relied
	// on, a small part of what it lasts.
	windowOfChange = 15 * time.Second
)

// Config says whom to ask and how.
type Config struct {
	// Endpoints are client URLs that the admin named. One without a scheme
	// is https where client TLS files are given, else http.
	Endpoints []string
	// ClientPort is the port to guess for members of which nobody can tell
	// the client URLs. Default 2379.
	ClientPort int
	// Client are the TLS files for client ports, Peer those for peer ports.
	// A zero Peer means: the same as Client.
	Client, Peer TLSFiles
	// As is who we are to a cluster that has auth on.
	As Credentials
	// Own are this host's own peer URLs. They are asked too: an etcd that runs
	// there with another data dir must not go unseen.
	Own []string
	// Thorough waits for every address and every log, where a Look otherwise
	// ends when what is still to come cannot matter to a decision, and takes
	// whoever answers at this host's own client port for one to be seen.
	Thorough bool
	// ProbeTimeout is the time each address gets to answer. Default 2s.
	ProbeTimeout time.Duration
}

// API asks etcd servers. It remembers the members it learned of and keeps
// the evidence on each over time. Its methods may be called concurrently.
type API struct {
	own          []string
	endpoints    []contact
	clientPort   int
	clientScheme string // of client URLs that come without one
	thorough     bool
	probeTimeout time.Duration
	client, peer *http.Client
	conns        conns
	as           Credentials
	wall         func() time.Time // the wall clock, also of a machine that slept

	mu      sync.Mutex // of what follows
	ledgers map[joiner.ID]*joiner.Ledger
	known   map[joiner.ID][]contact
	named   map[joiner.ID]bool
	met     map[contact]joiner.ID // which member the last Look met
	removed map[contact]time.Time // where one was that was removed
	// forbidden says of a cluster why an intent could not be put into it.
	forbidden map[joiner.ID]forbidden
	// admitted are the clusters whose membership our user may change.
	admitted map[joiner.ID]bool
}

// New makes an API. It reads the TLS files and checks the endpoints; errors
// name the file or the endpoint. Nothing is dialed yet.
func New(cfg Config) (*API, error) {
	clientTLS, err := cfg.Client.Load()
	if err != nil {
		return nil, fmt.Errorf("TLS to client ports: %w", err)
	}
	peerTLS := clientTLS
	if cfg.Peer != (TLSFiles{}) {
		if peerTLS, err = cfg.Peer.Load(); err != nil {
			return nil, fmt.Errorf("TLS to peer ports: %w", err)
		}
	}
	a := &API{
		own:          cfg.Own,
		clientPort:   cfg.ClientPort,
		clientScheme: "http",
		thorough:     cfg.Thorough,
		probeTimeout: cfg.ProbeTimeout,
		client:       newHTTPClient(clientTLS, clientPort),
		peer:         newHTTPClient(peerTLS, peerPort),
		as:           cfg.As,
		wall:         func() time.Time { return time.Now().Round(0) },
		admitted:     map[joiner.ID]bool{},
		ledgers:      map[joiner.ID]*joiner.Ledger{},
		known:        map[joiner.ID][]contact{},
		named:        map[joiner.ID]bool{},
		removed:      map[contact]time.Time{},
		forbidden:    map[joiner.ID]forbidden{},
	}
	a.conns = conns{tls: clientTLS, as: cfg.As, mayTell: a.mayTell, open: map[string]connection{}}
	a.defaults(cfg)
	if err := a.parseEndpoints(cfg.Endpoints); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *API) defaults(cfg Config) {
	if cfg.ProbeTimeout <= 0 {
		a.probeTimeout = defaultProbeTimeout
	}
	if cfg.ClientPort == 0 {
		a.clientPort = defaultClientPort
	}
	if cfg.Client != (TLSFiles{}) {
		a.clientScheme = "https"
	}
}

func (a *API) parseEndpoints(raw []string) error {
	for _, s := range raw {
		c, err := parseEndpoint(s, a.clientScheme)
		if err != nil {
			return err
		}
		a.endpoints = append(a.endpoints, c)
	}
	return nil
}

// Close closes all connections. Nothing can be asked afterwards.
func (a *API) Close() {
	a.client.CloseIdleConnections()
	a.peer.CloseIdleConnections()
	a.conns.close()
}
