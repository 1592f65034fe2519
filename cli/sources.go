package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/discovery"
	"github.com/sttts/elastic-etcd/joiner"
)

// defaultClusterToken is etcd's own default of --initial-cluster-token.
const defaultClusterToken = "etcd-cluster"

// sourceFlags say where members are and how a cluster is founded, under etcd's
// own names where etcd has one.
func (a *app) sourceFlags() []cli.Flag {
	return []cli.Flag{
		a.text("discovery", "", "an etcd discovery `url`"),
		a.text("discovery-token", "", "the `token` of etcd 3.6's own discovery, in the etcd at -discovery-endpoints"),
		a.text("discovery-endpoints", "", "client `urls` of the etcd that has -discovery-token, separated by commas"),
		a.text("discovery-cacert", "", "CA `file` to verify https discovery endpoints with"),
		a.text("discovery-cert", "", "certificate `file` to show to discovery endpoints"),
		a.text("discovery-key", "", "key `file` of -discovery-cert"),
		a.text("discovery-user", "", "`name` of a user of the etcd that has the token"),
		a.text("discovery-password-file", "", "`file` with the password of -discovery-user (or the variable ELASTIC_ETCD_DISCOVERY_PASSWORD)"),
		// etcd has it, so it works; others see command lines, so nobody is told.
		&cli.StringFlag{Name: "discovery-password", Sources: a.env("discovery-password"), Hidden: true},
		a.yesNo("discovery-insecure-transport", true, "no TLS to discovery endpoints that have no scheme, unless files are given"),
		a.yesNo("discovery-insecure-skip-tls-verify", false, "believe any certificate of discovery endpoints"),
		a.span("discovery-dial-timeout", 2*time.Second, "how long to try to connect to a discovery endpoint"),
		a.span("discovery-request-timeout", 5*time.Second, "how long a request to the discovery endpoints may take"),
		a.span("discovery-keepalive-time", 2*time.Second, "how long a connection to a discovery endpoint may be silent"),
		a.span("discovery-keepalive-timeout", 6*time.Second, "how long to wait then"),
		a.text("discovery-srv", "", "`domain` with the DNS SRV records of etcd (_etcd-server-ssl._tcp, _etcd-server._tcp, and of clients)"),
		a.text("discovery-srv-name", "", "what ends the `name` of the service in these records"),
		a.text("discovery-srv-server", "", "`host:port` of the DNS server to ask for them (default: those of the system)"),
		a.text("discovery-command", "", "`command` that prints the peer addresses of members, as address (port 2380), host:port or url; run without a shell"),
		a.text("initial-cluster", "", "members as `name=url[,name=url...]`: where to look, and with -initial-cluster-state=new whom to found with"),
		a.text("initial-cluster-state", joiner.StateExisting, "`new|existing`; new: what -initial-cluster lists may be founded, if it never was"),
		a.text("initial-cluster-token", defaultClusterToken, "the `token` of a cluster that a list founds, the same on all hosts"),
	}
}

func (a *app) yesNo(name string, value bool, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Value: value, Usage: usage, Sources: a.env(name)}
}

func (a *app) span(name string, value time.Duration, usage string) *cli.DurationFlag {
	return &cli.DurationFlag{Name: name, Value: value, Usage: usage, Sources: a.env(name)}
}

// sources are the sources of a command line, before they are opened.
type sources struct {
	founding foundingSource
	hints    []discovery.Hinter
}

// foundingSource is the one that founds; "" = there is none.
type foundingSource struct {
	flag  string // as people give it
	token string // what etcd gets as cluster token
	open  func() (discovery.Source, error)
}

// given is one source of a command line.
type given struct {
	foundingSource
	hint   discovery.Hinter // nil = what founds says all there is
	founds bool
}

// readSources sorts what was given: at most one source founds, the others are
// hints.
func readSources(c values, s settings) (sources, error) {
	var all sources
	state := c.String("initial-cluster-state")
	if state != joiner.StateNew && state != joiner.StateExisting {
		return all, usagef("-initial-cluster-state=%s is not new or existing", printable(state))
	}
	for _, read := range []func(values, settings) (*given, error){readV2, readV3, readSRV, readStatic, readCommand} {
		g, err := read(c, s)
		if err != nil {
			return all, err
		}
		if err := all.take(g); err != nil {
			return all, err
		}
	}
	if state == joiner.StateNew && all.founding.flag == "" {
		return all, usagef("-initial-cluster-state=new needs to know with whom: give -initial-cluster or -discovery-srv")
	}
	return all, nil
}

func (s *sources) take(g *given) error {
	switch {
	case g == nil:
		return nil
	case !g.founds:
		s.hints = append(s.hints, g.hint)
		return nil
	case s.founding.flag != "":
		return usagef("%s and %s would both found a cluster: give one of them (-initial-cluster-state=existing makes a list a hint)", s.founding.flag, g.flag)
	}
	s.founding = g.foundingSource
	if g.hint != nil {
		s.hints = append(s.hints, g.hint)
	}
	return nil
}

// connect opens the sources; nothing is asked yet.
func (s sources) connect() (discovery.Several, error) {
	several := discovery.Several{Hints: s.hints}
	if s.founding.flag == "" {
		return several, nil
	}
	var err error
	if several.Founding, err = s.founding.open(); err != nil {
		return several, usagef("%s: %w", s.founding.flag, err)
	}
	return several, nil
}

func readV2(c values, s settings) (*given, error) {
	url := c.String("discovery")
	if url == "" {
		return nil, nil
	}
	files := discovery.Config{CA: s.client.CA, Cert: s.client.Cert, Key: s.client.Key}
	open := func() (discovery.Source, error) { return discovery.NewV2(url, files) }
	return &given{foundingSource: foundingSource{"-discovery", url, open}, founds: true}, nil
}

func readStatic(c values, _ settings) (*given, error) {
	if c.String("initial-cluster") == "" {
		return nil, nil
	}
	token, err := clusterToken(c)
	if err != nil {
		return nil, err
	}
	list, err := discovery.NewStatic(c.String("initial-cluster"), token)
	if err != nil {
		return nil, usagef("-initial-cluster: %w", err)
	}
	open := func() (discovery.Source, error) { return list, nil }
	if isNew(c) {
		return &given{foundingSource{"-initial-cluster", token, open}, nil, true}, nil
	}
	return &given{hint: list}, nil
}

func readSRV(c values, s settings) (*given, error) {
	if c.String("discovery-srv") == "" {
		return nil, nil
	}
	token, err := clusterToken(c)
	if err != nil {
		return nil, err
	}
	records, err := discovery.NewSRV(discovery.SRVConfig{
		Domain: c.String("discovery-srv"), Service: c.String("discovery-srv-name"), Server: c.String("discovery-srv-server"),
		Token: token, Name: s.policy.Name, PeerURLs: s.policy.PeerURLs,
	})
	if err != nil {
		return nil, usagef("-discovery-srv: %w", err)
	}
	open := func() (discovery.Source, error) { return records, nil }
	return &given{foundingSource{"-discovery-srv", token, open}, records, isNew(c)}, nil
}

func readCommand(c values, s settings) (*given, error) {
	line := c.String("discovery-command")
	if line == "" {
		return nil, nil
	}
	scheme, _, _ := strings.Cut(s.policy.PeerURLs[0], "://")
	command, err := discovery.NewCommand(line, scheme)
	if err != nil {
		return nil, usagef("-discovery-command: %w", err)
	}
	return &given{hint: command}, nil
}

func isNew(c values) bool { return c.String("initial-cluster-state") == joiner.StateNew }

// clusterToken is the token of a cluster that a list founds. The record and
// the configuration carry it.
func clusterToken(c values) (string, error) {
	const most = 1024
	token := c.String("initial-cluster-token")
	if token == "" || len(token) > most {
		return "", usagef("-initial-cluster-token: %d bytes are not a token (1 to %d)", len(token), most)
	}
	return token, nil
}

// hinted are the addresses that hints lead to, bounded: whoever can change
// what a source says could make this host ask the world.
func hinted(hints []joiner.Hint) (peerURLs, clientURLs []string) {
	for _, h := range hints {
		peerURLs = append(peerURLs, h.PeerURLs[:min(len(h.PeerURLs), maxContacts)]...)
		clientURLs = append(clientURLs, h.ClientURLs[:min(len(h.ClientURLs), maxContacts)]...)
	}
	return peerURLs, clientURLs
}

func hintText(h joiner.Hint) string {
	if h.Error != "" {
		return h.Source + ": " + h.Error
	}
	return fmt.Sprintf("%s: %s", h.Source, strings.Join(append(append([]string(nil), h.PeerURLs...), h.ClientURLs...), " "))
}
