package cli

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/preflight"
)

// settings is a checked command line.
type settings struct {
	policy     joiner.Policy
	sources    sources
	endpoints  []string
	clientPort int
	client     etcdapi.TLSFiles
	peer       etcdapi.TLSFiles
	own        preflight.Files // of this host's etcd for its peers
	as         etcdapi.Credentials
	etcd       localEtcd
	timeout    time.Duration
	thorough   bool // waits for every address
}

// values are the flags of a command line.
type values interface {
	String(name string) string
	Int(name string) int
	Bool(name string) bool
	Duration(name string) time.Duration
}

func (a *app) readSettings(c values) (settings, error) {
	s := settings{
		endpoints:  list(c.String("endpoints")),
		clientPort: c.Int("client-port"),
		client:     etcdapi.TLSFiles{CA: c.String("cacert"), Cert: c.String("cert"), Key: c.String("key")},
		peer:       etcdapi.TLSFiles{CA: c.String("peer-trusted-ca-file"), Cert: c.String("peer-cert-file"), Key: c.String("peer-key-file")},
		timeout:    c.Duration("timeout"),
	}
	if s.clientPort < 1 || s.clientPort > 65535 {
		return s, usagef("-client-port=%d is not a port (1 to 65535)", s.clientPort)
	}
	s.own = preflight.Files(s.peer)
	var err error
	if s.as, err = a.readCredentials(c); err != nil {
		return s, err
	}
	if s.policy, err = readPolicy(c); err != nil {
		return s, err
	}
	if dead := time.Duration(s.policy.DeadAfter); s.timeout <= dead {
		return s, usagef("-timeout=%s must be longer than -dead-after=%s", s.timeout, dead)
	}
	s.policy.Endpoints = len(s.endpoints) > 0
	if s.sources, err = readSources(c, s); err != nil {
		return s, err
	}
	s.etcd, s.policy.AnyVersion, err = readEtcd(c)
	return s, err
}

func readPolicy(c values) (joiner.Policy, error) {
	p := joiner.Policy{
		Name:      c.String("name"),
		DataDir:   c.String("data-dir"),
		WALDir:    c.String("wal-dir"),
		Size:      c.Int("cluster-size"),
		DeadAfter: joiner.Duration(c.Duration("dead-after")),
		KeepStale: c.String("stale-data") == "refuse",
	}
	if err := checkName(p.Name); err != nil {
		return p, err
	}
	if p.DataDir == "" && strings.Contains(p.Name, "/") {
		return p, usagef("-name=%q makes no data dir of its own (NAME.etcd): give -data-dir", p.Name)
	}
	if p.DataDir == "" {
		p.DataDir = p.Name + ".etcd" // etcd's own default
	}
	if p.Size < joiner.SizeOfDiscovery {
		return p, usagef("-cluster-size=%d is not a size (-1: the discovery's, 0: no limit)", p.Size)
	}
	if p.DeadAfter <= 0 {
		return p, usagef("-dead-after=%s must be longer than zero", p.DeadAfter)
	}
	if s := c.String("stale-data"); s != "archive" && s != "refuse" {
		return p, usagef("-stale-data=%s is not archive or refuse", s)
	}
	var err error
	if p.Strategy, err = joiner.ParseStrategy(c.String("join-strategy")); err != nil {
		return p, usagef("-join-strategy: %w", err)
	}
	if p.Learner, err = joiner.ParseLearnerMode(c.String("learner")); err != nil {
		return p, usagef("-learner: %w", err)
	}
	p.Announces = c.String("initial-advertise-peer-urls") != defaultPeerURL
	if p.PeerURLs, err = joiner.PeerURLs(list(c.String("initial-advertise-peer-urls"))); err != nil {
		return p, usagef("-initial-advertise-peer-urls: %w", err)
	}
	return p, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return usagef("no name: give -name=NAME, another one on every host (or ELASTIC_ETCD_NAME)")
	case strings.ContainsAny(name, ",="):
		return usagef("-name=%q: etcd cannot have a comma or an equals sign in a name", name)
	case len(name) > 255:
		return usagef("-name: %d bytes are too many for a name (at most 255)", len(name))
	}
	return nil
}

// readEtcd finds out how to learn the version of this host's etcd.
func readEtcd(c values) (e localEtcd, anyVersion bool, err error) {
	version, binary := c.String("etcd-version"), c.String("etcd-binary")
	switch {
	case version == "any":
		return localEtcd{told: true}, true, nil
	case version != "":
		if e.version, err = etcdapi.ParseVersion(version); err != nil {
			return e, false, usagef("-etcd-version: %w", err)
		}
		e.told = true
	case binary != "":
		if _, err := os.Stat(binary); err != nil {
			return e, false, usagef("-etcd-binary: %w", err)
		}
		if e.binary, err = filepath.Abs(binary); err != nil {
			return e, false, usagef("-etcd-binary: %w", err)
		}
	}
	return e, false, nil
}

// list splits what etcd separates by commas.
func list(s string) []string {
	var items []string
	for _, item := range strings.Split(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
