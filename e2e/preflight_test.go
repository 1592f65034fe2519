package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestAdvertiseLoopback: among hosts that are elsewhere, a loopback is a
// mistake; on one host, as in all of these tests, it is not.
func TestAdvertiseLoopback(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	fourth := s.lab.Host("3.6")
	r := s.elastic(fourth, "-cluster-size=4")
	s.want(r, 0, "join-listed")
	if !strings.Contains(r.Stderr, "leads every other host to itself") {
		t.Errorf("no word on the loopback: %s", r)
	}
	fourth.StartWith(r.Stdout)
	s.lab.WaitHealthy(4, append(hosts, fourth)...)

	// What etcd dials is the follower's affair: it goes on following.
	moved, _ := hosts[0].Membership().Of(hosts[2])
	s.lab.WaitFor("a member to be elsewhere", func(ctx context.Context) error {
		_, err := hosts[0].Client().MemberUpdate(ctx, moved.ID, []string{"http://192.0.2.7:2380"})
		return err
	})
	s.refused(hosts[0], s.lab.Host("3.6"), "advertise-loopback", "-cluster-size=5")
	s.refused(hosts[0], s.lab.Host("3.6"), "advertise-loopback", "-cluster-size=5", "-initial-advertise-peer-urls=http://localhost:2380")
	hosts[1].Stop()
	s.boot("resume-member", hosts[1])
}

// TestAdvertiseUnresolved: a name that does not resolve may come.
func TestAdvertiseUnresolved(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	s.unchanged(hosts[0], func() {
		r := s.elastic(s.lab.Host("3.6"), "-cluster-size=4", "-initial-advertise-peer-urls=http://nobody.invalid:2380")
		s.want(r, 75, "advertise-unresolved")
		if !strings.Contains(r.Stderr, "nobody.invalid") {
			t.Errorf("it does not say which name: %s", r)
		}
	})
}

// TestAdvertiseScheme: the members could not talk to such a host.
func TestAdvertiseScheme(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	fresh := s.lab.Host("3.6")
	s.refused(hosts[0], fresh, "advertise-scheme", "-cluster-size=4",
		"-initial-advertise-peer-urls="+strings.Replace(fresh.PeerURL(), "http:", "https:", 1))
}

// TestPeerCertificate: the certificate that etcd would show its peers is
// looked at before the membership is changed for it.
func TestPeerCertificate(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.7"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			lab.Secure()
			s := newSiteIn(t, lab, 3)
			hosts := lab.Hosts(3, version)
			client := tlsFlags(lab.ClientCerts())
			elsewhere := lab.Certs("elsewhere", "192.0.2.7")
			s.want(s.elastic(hosts[0], append(client, "-peer-cert-file="+elsewhere.Cert, "-peer-key-file="+elsewhere.Key)...), 78, "peer-certificate")
			s.foundWith(client, hosts...) // the token is as it was
			fresh := lab.Host(version)
			good := lab.Certs("peer", fresh.Addr)
			peer := func(ca, cert, key string) []string {
				return append([]string{"-cluster-size=4", "-peer-trusted-ca-file=" + ca, "-peer-cert-file=" + cert, "-peer-key-file=" + key}, client...)
			}
			foreign := lab.ForeignCerts("peer", fresh.Addr)
			s.refused(hosts[0], fresh, "peer-certificate", peer(good.CA, elsewhere.Cert, elsewhere.Key)...)
			s.refused(hosts[0], fresh, "peer-certificate", peer(good.CA, foreign.Cert, foreign.Key)...)
			s.refused(hosts[0], fresh, "advertise-scheme", append(peer(good.CA, good.Cert, good.Key),
				"-initial-advertise-peer-urls="+strings.Replace(fresh.PeerURL(), "https:", "http:", 1))...)
			s.boot("join-listed", fresh, peer(good.CA, good.Cert, good.Key)...)
			lab.WaitHealthy(4, append(hosts, fresh)...)

			fresh.Stop()
			r := s.elastic(fresh, peer(good.CA, elsewhere.Cert, elsewhere.Key)...)
			s.want(r, 0, "resume-member")
			if !strings.Contains(r.Stderr, elsewhere.Cert) {
				t.Errorf("no word on the certificate: %s", r)
			}
		})
	}
}
