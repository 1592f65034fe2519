package e2e

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestRepointed: a member is dead, and its addresses lead to another member by
// now: a name was pointed there, or that host has this address too. What answers
// there does not speak for the dead one, which is replaced.
func TestRepointed(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts, fresh := s.lab.Hosts(3, version), s.lab.Host(version)
			s.lab.Found(hosts...)
			hosts[2].Kill()
			s.lab.WaitLeader(hosts[:2]...)
			s.repoint(hosts[2], hosts[1])
			s.boot("join-listed", fresh, at(hosts[:2]), "-discovery=", "-cluster-size=3")
			s.lab.WaitHealthy(3, hosts[0], hosts[1], fresh)
		})
	}
}

// TestRepointedStays: where nobody is removed, such a member does not hold up an
// etcd that joins, as one that hangs does.
func TestRepointedStays(t *testing.T) {
	s := newSite(t, 1)
	hosts, fresh := s.lab.Hosts(4, "3.5"), s.lab.Host("3.5")
	s.lab.Found(hosts...)
	hosts[3].Kill()
	s.lab.WaitLeader(hosts[:3]...)
	s.repoint(hosts[3], hosts[1])
	s.boot("join-listed", fresh, at(hosts[:3]), "-discovery=", "-join-strategy=add", "-cluster-size=5")
	s.lab.WaitHealthy(5, hosts[0], hosts[1], hosts[2], fresh)
}

// repoint has the addresses of a host lead to another one.
func (s *site) repoint(from, to *cluster.Host) {
	s.Helper()
	for _, port := range []string{"2379", "2380"} {
		l, err := net.Listen("tcp", net.JoinHostPort(from.Addr, port))
		if err != nil {
			s.Fatal(err)
		}
		s.Cleanup(func() { l.Close() })
		go forward(l, net.JoinHostPort(to.Addr, port))
	}
}

// forward ends with the listener.
func forward(l net.Listener, to string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer in.Close()
			out, err := net.DialTimeout("tcp", to, time.Second)
			if err != nil {
				return
			}
			defer out.Close()
			go func() {
				io.Copy(out, in)
				out.Close()
			}()
			io.Copy(in, out)
		}()
	}
}
