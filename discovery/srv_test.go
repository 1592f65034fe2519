package discovery

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

func TestSRVPeers(t *testing.T) {
	for name, c := range map[string]struct {
		own  []string
		urls string
		want string
	}{
		"a name each":        {[]string{"http://b.x:2380"}, "http://a.x:2380 http://b.x:2380", "a.x=http://a.x:2380 me=http://b.x:2380"},
		"we are not there":   {[]string{"http://c.x:2380"}, "http://a.x:2380 http://b.x:2380", "a.x=http://a.x:2380 b.x=http://b.x:2380"},
		"several on a host":  {[]string{"http://a.x:1"}, "http://a.x:1 http://a.x:2 http://a.x:3", "me=http://a.x:1 a.x:2=http://a.x:2 a.x:3=http://a.x:3"},
		"two URLs are ours":  {[]string{"http://a.x:1", "http://c.x:1"}, "http://a.x:1 http://b.x:1 http://c.x:1", "me=http://a.x:1,me=http://c.x:1 b.x=http://b.x:1"},
		"a name in another":  {[]string{"http://c.x:1"}, "http://a.x:1 http://xa.x:2", "a.x=http://a.x:1 xa.x=http://xa.x:2"},
		"both schemes of it": {[]string{"http://c.x:1"}, "http://a.x:1 https://a.x:2", "a.x:1=http://a.x:1 a.x:2=https://a.x:2"},
	} {
		s, err := NewSRV(SRVConfig{Domain: "x", Name: "me", PeerURLs: c.own})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range s.peers(strings.Fields(c.urls)) {
			got = append(got, p.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestNewSRVRefuses(t *testing.T) {
	for says, c := range map[string]SRVConfig{
		`"" is not a domain`:          {},
		`"a b" is not a domain`:       {Domain: "a b"},
		`"\x1b[2J" is not a domain`:   {Domain: "\x1b[2J"},
		`"-x" is not a domain`:        {Domain: "-x"},
		"... is not a domain":         {Domain: strings.Repeat("x", 300)},
		`"a.b" cannot end the name`:   {Domain: "x", Service: "a.b"},
		`"10.0.0.1" is not host:port`: {Domain: "x", Server: "10.0.0.1"},
	} {
		if _, err := NewSRV(c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
}

// A DNS server that is down or says nothing ends a look in time, and a list
// that may be incomplete founds nothing.
func TestSRVUnreachable(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, server := range map[string]string{"the DNS server refuses connections": "127.0.0.1:1", "no answer in time": silent.LocalAddr().String()} {
		s, err := NewSRV(SRVConfig{Domain: "example.com", Service: "prod", Server: server, Name: "n1", PeerURLs: []string{"http://n1:2380"}})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		d, h := s.Look(t.Context()), s.Hint(t.Context())
		if d.Kind != joiner.KindSRV || d.Size != 0 || d.Error != "DNS SRV records of example.com for prod: _etcd-server-ssl-prod._tcp.example.com: "+name {
			t.Errorf("%s: got %+v", name, d)
		}
		if h.Source != "DNS SRV records of example.com for prod" || h.Error == "" || strings.Contains(h.Error, "\n") {
			t.Errorf("%s: got hint %+v", name, h)
		}
		if took := time.Since(start); took > 3*srvTimeout {
			t.Errorf("%s: took %s", name, took)
		}
	}
	if err := new(SRV).Register(t.Context(), joiner.Entry{}); err == nil {
		t.Error("DNS took a registration")
	}
}

// A record that nobody can use may be a founder's: nobody founds before it is
// corrected, and the others are asked all the same.
func TestSRVUnusableRecords(t *testing.T) {
	const name = "_etcd-server._tcp.x.test"
	for says, records := range map[string][]string{
		"": {"n1.x.test. 2380", "N2.x.test. 2380"},
		name + `: the record "n2.x.test." has no port`:       {"n1.x.test. 2380", "n2.x.test. 0"},
		name + `: the record "." with port 0 has no host`:    {". 0", "n1.x.test. 2380"},
		name + `: the record "." with port 2380 has no host`: {"n1.x.test. 2380", ". 2380"},
		name + `: the target of a record is no host name`:    {"n1.x.test. 2380", "10.0.0.1. 2380"},
	} {
		s := newZoned(t, zone{name: records})
		d, h := s.Look(t.Context()), s.Hint(t.Context())
		if whole := says == ""; d.Invalid != says || d.Error != "" || (d.Size == 2) != whole || len(d.Entries) != d.Size {
			t.Errorf("want %q, got %+v", says, d)
		}
		if len(h.PeerURLs) == 0 || h.PeerURLs[0] != "http://n1.x.test:2380" || h.Error != says {
			t.Errorf("%q: got hint %+v", says, h)
		}
		if says != "" {
			wantCorrected(t, d)
		}
	}
}

// wantCorrected: a human is told what to do about the records.
func wantCorrected(t *testing.T, d joiner.Discovery) {
	t.Helper()
	p := joiner.Policy{Name: "n1", PeerURLs: []string{"http://n1.x.test:2380"}}
	plan := joiner.Decide(p, joiner.Observation{Disk: joiner.Disk{State: joiner.DiskFresh}, Discovery: d})
	if plan.Reason != joiner.DiscoveryInvalid || plan.Exit != joiner.ExitNeedsHuman || !strings.Contains(plan.Text, d.Invalid) || plan.Hint != "correct the records in DNS" {
		t.Errorf("got %+v", plan)
	}
}

// While a lookup fails nobody knows all records, and that may mend by itself.
func TestSRVFailsBeforeItIsUnusable(t *testing.T) {
	const secure, plain = "_etcd-server-ssl._tcp.x.test", "_etcd-server._tcp.x.test"
	for bad, broken := range map[string]string{secure: plain, plain: secure} {
		d := newZoned(t, zone{bad: {". 0"}, broken: {"broken"}}).Look(t.Context())
		if d.Invalid != "" || !strings.HasSuffix(d.Error, broken+": server misbehaving") {
			t.Errorf("got %+v", d)
		}
	}
}

// A lookup that failed is told in the hint, also one for clients.
func TestSRVHintTellsFailures(t *testing.T) {
	const neither = "there is neither _etcd-server-ssl._tcp.x.test nor _etcd-server._tcp.x.test"
	const clients, servers = "_etcd-client._tcp.x.test", "_etcd-server._tcp.x.test"
	for name, c := range map[string]struct {
		zone zone
		want string
	}{
		"nothing":         {zone{}, neither},
		"clients":         {zone{clients: {"a.x.test. 2379"}}, ""},
		"servers":         {zone{servers: {"a.x.test. 2380"}}, ""},
		"clients broken":  {zone{clients: {"broken"}}, neither + "; " + clients + ": server misbehaving"},
		"servers broken":  {zone{servers: {"broken"}, clients: {"a.x.test. 2379"}}, servers + ": server misbehaving"},
		"both broken":     {zone{servers: {"broken"}, clients: {"broken"}}, servers + ": server misbehaving; " + clients + ": server misbehaving"},
		"servers, broken": {zone{servers: {"a.x.test. 2380"}, clients: {"broken"}}, clients + ": server misbehaving"},
	} {
		if h := newZoned(t, c.zone).Hint(t.Context()); h.Error != c.want {
			t.Errorf("%s: got %q, want %q", name, h.Error, c.want)
		}
	}
}

// One host with TLS and without is named, with both records.
func TestSRVInBoth(t *testing.T) {
	s := newZoned(t, zone{"_etcd-server._tcp.x.test": {"n1.x.test. 2380", "n2.x.test. 2380"}, "_etcd-server-ssl._tcp.x.test": {"n2.x.test. 2380", "n1.x.test. 2381"}})
	d := s.Look(t.Context())
	if want := "both _etcd-server-ssl._tcp.x.test and _etcd-server._tcp.x.test list n2.x.test:2380"; d.Invalid != want || d.Error != "" || d.Size != 4 {
		t.Errorf("got %+v, want %s", d, want)
	}
	wantCorrected(t, d)
}

// searching is a resolver with a search list: after a failure it tries another
// name, and tells only of that one.
type searching struct{ srvResolver }

func (s searching) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	cname, list, err := s.srvResolver.LookupSRV(ctx, service, proto, name)
	if err != nil && !strings.HasSuffix(name, ".") {
		return s.srvResolver.LookupSRV(ctx, service, proto, name+".corp.test.")
	}
	return cname, list, err
}

// A lookup that failed is not one that found nothing, whatever a search list
// makes of it: a list without those records may be another host's half.
func TestSRVFailureIsNotNone(t *testing.T) {
	const secure, plain = "_etcd-server-ssl._tcp.x.test", "_etcd-server._tcp.x.test"
	for kind, fails := range map[string]bool{"broken": true, "refused": true, "empty": false, "none": false} {
		z := zone{plain: {"n1.x.test. 2380"}, secure: {kind}}
		if kind == "none" {
			delete(z, secure)
		}
		s := newZoned(t, z)
		s.resolver = searching{s.resolver}
		for _, s.c.Domain = range []string{"x.test", "x.test."} {
			d := s.Look(t.Context())
			if failed := strings.HasSuffix(d.Error, ": server misbehaving"); failed != fails || (d.Size == 1) == fails {
				t.Errorf("%s, %s: got %+v", kind, s.c.Domain, d)
			}
		}
	}
}
