package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestSnapshot: a member that the leader is sending a snapshot to acknowledges
// nothing meanwhile, and does not answer this host. It is not dead.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.6"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.foundCompacting(hosts...)
			s.fallsBehind(hosts[2], hosts[:2])
			link := s.onlyToPeers(hosts[2])
			s.waitSnapshot(s.lab.WaitLeader(hosts[:2]...))
			s.unchanged(hosts[0], func() {
				run := s.start(s.lab.Host(version), at(hosts[:2]), "-discovery=", "-cluster-size=3", "-v=6")
				s.waitSending(run)
				close(link.snapshots)
				s.lab.WaitHealthy(3, hosts[0], hosts[1], link.member)
				s.want(run.Wait(), 75, "full")
			})
		})
	}
}

// foundCompacting founds a cluster that snapshots its log often.
func (s *site) foundCompacting(hosts ...*cluster.Host) {
	s.Helper()
	for _, h := range hosts {
		h.Start(append(h.IdentityFlags(), "--initial-cluster="+cluster.InitialCluster(hosts...),
			"--initial-cluster-state=new", "--snapshot-count=10")...)
	}
	s.lab.WaitHealthy(len(hosts), hosts...)
}

// fallsBehind kills a member, and has the others forget what it lacks: an etcd
// that starts has nothing in memory from before its last snapshot.
func (s *site) fallsBehind(h *cluster.Host, others []*cluster.Host) {
	s.Helper()
	h.Kill()
	for i := range 30 {
		others[0].Put("key", fmt.Sprint(i))
	}
	for _, other := range others {
		s.wantKey(other, "29") // it has applied them too
	}
	for _, other := range others {
		other.Stop()
		other.Resume()
	}
	s.lab.WaitLeader(others...)
}

// peerLink is what stands at the addresses of a member: only its peers get
// through to it, and snapshots only once they are let go.
type peerLink struct {
	member    *cluster.Host // where its etcd listens
	proxy     http.Handler
	snapshots chan struct{}
}

// onlyToPeers resumes a member behind a link.
func (s *site) onlyToPeers(h *cluster.Host) *peerLink {
	s.Helper()
	hidden := *h
	hidden.Addr, hidden.DNSName = s.lab.Addr(), h.Addr
	to, err := url.Parse(hidden.PeerURL())
	if err != nil {
		s.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.FlushInterval = -1 // streams of messages
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	link := &peerLink{&hidden, proxy, make(chan struct{})}
	s.serve(h, link)
	hidden.Start(append(hidden.IdentityFlags(), "--advertise-client-urls="+h.ClientURL())...)
	return link
}

func (l *peerLink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/raft") {
		panic(http.ErrAbortHandler) // hangs up
	}
	if r.Method == http.MethodPost { // to /raft/snapshot; an etcd 2.3 to /raft
		<-l.snapshots
	}
	l.proxy.ServeHTTP(w, r)
}

// serve has a handler at the peer address of a host.
func (s *site) serve(h *cluster.Host, handler http.Handler) {
	s.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(h.Addr, "2380"))
	if err != nil {
		s.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go server.Serve(l)
	s.Cleanup(func() { server.Close() })
}

// waitSnapshot waits until a leader says that it is sending a snapshot.
func (s *site) waitSnapshot(leader *cluster.Host) {
	s.Helper()
	s.lab.WaitFor("the leader to send a snapshot", func(ctx context.Context) error {
		vars, err := get(ctx, leader.ClientURL()+"/debug/vars")
		if err == nil && !strings.Contains(vars, "StateSnapshot") {
			err = errors.New("it sends none")
		}
		return err
	})
}

var sending = regexp.MustCompile(`no answer to this host for (\S+), and the leader is sending it a snapshot.* reason=watch-members `)

// waitSending waits until a run has watched a member for twice the time after
// which it would be dead, were it not sent a snapshot.
func (s *site) waitSending(run *cluster.Running) {
	s.Helper()
	s.lab.WaitFor("a snapshot to take its time", func(context.Context) error {
		if !run.Running() {
			s.Fatalf("it did not wait: %s", run.Wait())
		}
		for _, line := range sending.FindAllStringSubmatch(run.Log(), -1) {
			if silent, err := time.ParseDuration(line[1]); err == nil && silent > 6*time.Second {
				return nil
			}
		}
		return errors.New("it has not watched for long enough")
	})
}
