package e2e

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// zone is a real DNS server for one domain.
type zone struct {
	t    *testing.T
	addr string

	mu      sync.Mutex // of what follows
	records map[string][]dns.RR
	broken  bool // it answers SERVFAIL for all names of the domain
}

const domain = "etcd.test"

func newZone(t *testing.T, lab *cluster.Lab) *zone {
	t.Helper()
	z := &zone{t: t, addr: lab.Addr(), records: map[string][]dns.RR{}}
	for _, network := range []string{"udp", "tcp"} {
		started := make(chan struct{})
		server := &dns.Server{Addr: net.JoinHostPort(z.addr, "53"), Net: network, Handler: z, NotifyStartedFunc: func() { close(started) }}
		failed := make(chan error, 1)
		go func() { failed <- server.ListenAndServe() }()
		select {
		case <-started:
		case err := <-failed:
			t.Fatalf("start a DNS server: %v", err)
		}
		t.Cleanup(func() { server.Shutdown() })
	}
	lab.UseDNS(z.addr)
	return z
}

// add adds a record in the form of a zone file.
func (z *zone) add(format string, args ...any) {
	z.t.Helper()
	rr, err := dns.NewRR(fmt.Sprintf(format, args...))
	if err != nil {
		z.t.Fatalf("record "+format+": %v", append(args, err)...)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	name := strings.ToLower(rr.Header().Name)
	z.records[name] = append(z.records[name], rr)
}

// host gives a host a name and a record for its peers.
func (z *zone) host(h *cluster.Host) {
	z.t.Helper()
	z.add("%s. 1 IN A %s", h.DNSName, h.Addr)
	z.add("_etcd-server._tcp.%s. 1 IN SRV 0 0 2380 %s.", domain, h.DNSName)
}

func (z *zone) setBroken(broken bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.broken = broken
}

// ServeDNS answers like an authoritative server, and SRV records in another
// order each time.
func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	m := new(dns.Msg)
	m.SetReply(q)
	m.Authoritative = true
	name := strings.ToLower(q.Question[0].Name)
	list, exists := z.records[name]
	switch {
	case z.broken && dns.IsSubDomain(dns.Fqdn(domain), name):
		m.Rcode = dns.RcodeServerFailure
	case !exists:
		m.Rcode = dns.RcodeNameError
	}
	for _, rr := range list {
		if m.Rcode == dns.RcodeSuccess && rr.Header().Rrtype == q.Question[0].Qtype {
			m.Answer = append(m.Answer, rr)
		}
	}
	if len(list) > 1 {
		z.records[name] = append(list[1:len(list):len(list)], list[0])
	}
	w.WriteMsg(m)
}

// newZoned is a lab whose hosts have names in a zone.
func newZoned(t *testing.T) (*sourced, *zone) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: DNS records need root, for port 53 and /etc/resolv.conf")
	}
	s := newSourced(t, "-discovery-srv="+domain, "-initial-cluster-state=new", "-initial-cluster-token=srv")
	return s, newZone(t, s.lab)
}

// TestSourcesSRV: hosts found one cluster by the records of a DNS server, plain
// etcd among them, and wait until the records are complete.
func TestSourcesSRV(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s, z := newZoned(t)
			hosts := s.lab.Hosts(4, version)
			for _, h := range hosts {
				h.DNSName = h.Name + "." + domain
			}
			s.wantWait(s.ask(hosts[0]), "discovery-unreachable")
			z.host(hosts[0])
			z.host(hosts[1])
			s.wantWait(s.ask(hosts[0], "-cluster-size=3"), "founders-missing")
			z.host(hosts[2])
			z.add("%s. 1 IN A %s", hosts[3].DNSName, hosts[3].Addr)
			s.wantWait(s.ask(hosts[3]), "founder-not-listed")
			s.bring("found", hosts[0], "-cluster-size=3")
			if version == "3.4" { // which wants records for TLS, too
				s.bring(founding, hosts[1])
			} else {
				hosts[1].Start(append(hosts[1].IdentityFlags(), s.source...)...) // plain etcd
			}
			s.bring(founding, hosts[2], "-discovery-srv-server="+z.addr+":53")
			s.lab.WaitHealthy(3, hosts[:3]...)
			hosts[0].Put("key", "value")
			s.replaceListed(hosts, z)
		})
	}
}

// replaceListed: a dead founder is replaced by a host that DNS does not know;
// with DNS broken, who has data comes back all the same.
func (s *sourced) replaceListed(hosts []*cluster.Host, z *zone) {
	s.Helper()
	hosts[0].Kill()
	s.bring("join-listed", hosts[3])
	s.lab.WaitHealthy(3, hosts[1:]...)
	s.wantKey(hosts[3], "value")
	z.setBroken(true)
	hosts[2].Kill()
	r := s.ask(hosts[2]).Wait()
	s.want(r, 0, resume)
	hosts[2].StartWith(r.Stdout)
	z.setBroken(false) // etcd itself asks for its peers' names
	s.lab.WaitHealthy(3, hosts[1:]...)
}

// TestSourcesSRVBroken: a lookup that failed is told as one, also where the
// resolver goes on with a search list, which finds nothing.
func TestSourcesSRVBroken(t *testing.T) {
	s, z := newZoned(t)
	h := s.lab.Host("3.6")
	h.DNSName = h.Name + "." + domain
	z.host(h)
	z.setBroken(true)
	if r := s.wantWait(s.ask(h), "discovery-unreachable"); !strings.Contains(r.Stderr, "server misbehaving") {
		t.Errorf("the failure is not told: %s", r)
	}
	z.setBroken(false)
	s.bring("found", h)
}

// TestSourcesSRVClients: records for clients lead to a cluster, whatever the
// ports, and found nothing.
func TestSourcesSRVClients(t *testing.T) {
	s, z := newZoned(t)
	s.source = []string{"-discovery-srv=" + domain, "-discovery-srv-name=prod"}
	hosts := s.lab.Hosts(4, "3.7")
	s.wantWait(s.ask(hosts[3]), "unreachable")
	s.lab.Found(hosts[:3]...)
	z.add("a.%s. 1 IN A %s", domain, hosts[1].Addr)
	z.add("_etcd-client-prod._tcp.%s. 1 IN SRV 0 0 2379 a.%s.", domain, domain)
	s.bring("join-listed", hosts[3], "-cluster-size=4")
	s.lab.WaitHealthy(4, hosts...)
}
