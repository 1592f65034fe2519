package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/joiner"
)

// fakeDiscovery is a discovery service that misbehaves: what no real one does
// on demand.
func fakeDiscovery(t *testing.T, lab *cluster.Lab, answer http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(lab.Addr(), "8088"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: answer}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return "http://" + l.Addr().String() + "/0123456789abcdef0123456789abcdef"
}

// entries answers as a token of size 3 with these registrations.
func entries(values ...joiner.Entry) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Etcd-Index", "10")
		if strings.HasSuffix(r.URL.Path, "/_config/size") {
			fmt.Fprint(w, `{"action":"get","node":{"key":"/_config/size","value":"3","createdIndex":1,"modifiedIndex":1}}`)
			return
		}
		type node struct {
			Key          string `json:"key"`
			Value        string `json:"value"`
			CreatedIndex int    `json:"createdIndex"`
		}
		var nodes []node
		for i, e := range values {
			nodes = append(nodes, node{"/x/" + e.Key, e.Value, i + 2})
		}
		json.NewEncoder(w).Encode(map[string]any{"action": "get", "node": map[string]any{"key": "/x", "dir": true, "nodes": nodes}})
	}
}

func always(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func TestBadDiscovery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		code   int
		reason string
		says   string
	}{
		{"answers 500", always(500, "oops"), 75, "discovery-unreachable", "500"},
		{"answers HTML", always(200, "<html><body>Sign in</body></html>"), 75, "discovery-unreachable", ""},
		{"answers nothing", always(200, ""), 75, "discovery-unreachable", ""},
		{"answers null", always(200, "null"), 75, "discovery-unreachable", ""},
		{"answers an empty object", always(200, "{}"), 75, "discovery-unreachable", ""},
		{"answers without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, 75, "discovery-unreachable", ""},
		{"never answers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 75, "", ""},
		{"does not know the token", always(404, `{"errorCode":100,"message":"Key not found","cause":"/x","index":1}`), 78, "discovery-token-unknown", ""},
		{"a size that is none", always(200, `{"action":"get","node":{"key":"/s","value":"many","createdIndex":1}}`), 78, "discovery-entry-invalid", "many"},
		{"garbage in a founder's place", entries(joiner.Entry{Key: "1", Value: "garbage"}), 78, "discovery-entry-invalid", "garbage"},
		{"an empty founder", entries(joiner.Entry{Key: "1"}), 78, "discovery-entry-invalid", ""},
		{"shell in a founder's place", entries(joiner.Entry{Key: "1", Value: "$(touch pwned)=http://10.0.0.1:2380\x1b[2J\n"}), 78, "discovery-entry-invalid", ""},
		{"a huge founder", entries(joiner.Entry{Key: "1", Value: "a=" + strings.Repeat("x", 1<<16)}), 78, "discovery-entry-invalid", ""},
		{"not the ID of its URLs", entries(joiner.Entry{Key: "1", Value: "a=http://10.0.0.1:2380"}), 78, "discovery-entry-invalid", "spells the discovery URL or token differently"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			s := &site{T: t, lab: lab, token: fakeDiscovery(t, lab, c.answer)}
			h := lab.Host("3.6")
			if c.reason == "" {
				c.reason = "discovery-unreachable"
			}
			r := s.ends(s.start(h, "-dead-after=1s"), c.code, c.reason)
			if !strings.Contains(r.Stderr, c.says) {
				t.Errorf("its log does not say %q: %s", c.says, r)
			}
			if strings.ContainsAny(strings.ReplaceAll(r.Stderr, "\n", ""), "\x1b\a\x00") {
				t.Errorf("control characters in the log: %q", r.Stderr)
			}
			if _, err := os.Stat(h.DataDir); err == nil {
				t.Errorf("a data dir was made")
			}
		})
	}
}

// ends is how a run ends that waits, or by itself.
func (s *site) ends(run *cluster.Running, code int, reason string) cluster.Result {
	s.Helper()
	if code == 75 {
		return s.wantWait(run, reason)
	}
	r := run.Wait()
	s.want(r, code, reason)
	return r
}

func TestDiscoveryDown(t *testing.T) {
	t.Parallel()
	lab := cluster.New(t)
	s := &site{T: t, lab: lab, token: lab.DeadURL() + "/0123456789abcdef0123456789abcdef"}
	s.wantWait(s.start(lab.Host("3.6")), "discovery-unreachable")
}

// TestDiscoveryComesBack: a service that restarts while hosts wait.
func TestDiscoveryComesBack(t *testing.T) {
	s := newSite(t, 1)
	if err := s.disco.TryKill(); err != nil {
		t.Fatal(err)
	}
	h := s.lab.Host("3.6")
	run := s.start(h)
	s.lab.WaitFor("it to wait", logged(run, "discovery-unreachable"))
	s.disco.Start()
	r := run.Wait()
	s.want(r, 0, "found")
	h.StartWith(r.Stdout)
	s.lab.WaitHealthy(1, h)
}

func TestBadPaths(t *testing.T) {
	s := newSite(t, 3)
	h := s.lab.Host("3.6")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.want(s.elastic(h, "-data-dir="+file), 78, "step-failed")
	s.want(s.elastic(h, "-data-dir="+file+"/below"), 78, "step-failed")
	s.want(s.elastic(h, "-data-dir=/proc/elastic-etcd"), 78, "step-failed")
}

// TestDuplicateName: a second host with the same name is told so before it
// spoils the token for the first.
func TestDuplicateName(t *testing.T) {
	s := newSite(t, 2)
	hosts := s.lab.Hosts(2, "3.6")
	first := s.start(hosts[0])
	s.lab.WaitFor("the first host to register", logged(first, "founders-missing"))
	s.want(s.elastic(hosts[1], "-name="+hosts[0].Name), 78, "name-in-use")
	s.want(s.elastic(hosts[1], "-timeout=30s"), 0, "found")
	s.want(first.Wait(), 0, "found")
}

// TestNameOfARunningMember: a joining host has the name of a live member.
func TestNameOfARunningMember(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	s.unchanged(hosts[0], func() {
		s.want(s.elastic(s.lab.Host("3.6"), "-name="+hosts[1].Name, "-cluster-size=5"), 78, "name-in-use")
	})
}

// TestStrangerOnAMembersPort: another service took over the address of a dead
// member. It is not an answer, so the member is dead.
func TestStrangerOnAMembersPort(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	hosts[2].Kill()
	for _, port := range []string{"2379", "2380"} {
		l, err := net.Listen("tcp", net.JoinHostPort(hosts[2].Addr, port))
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: always(200, "[]")}
		go server.Serve(l)
		t.Cleanup(func() { server.Close() })
	}
	fresh := s.lab.Host("3.6")
	s.boot("join-listed", fresh)
	s.lab.WaitHealthy(3, hosts[0], hosts[1], fresh)
}

// TestSeveralPeerURLs: all of them are added, and all are printed.
func TestSeveralPeerURLs(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	fresh := s.lab.Host("3.6")
	both := fresh.PeerURL() + "," + strings.Replace(fresh.PeerURL(), ":2380", ":2381", 1)
	r := s.elastic(fresh, "-cluster-size=4", "-initial-advertise-peer-urls="+both)
	s.want(r, 0, "join-listed")
	fresh.StartWith(r.Stdout, "--listen-peer-urls="+both)
	s.lab.WaitHealthy(4, append(hosts, fresh)...)
	if m, listed := fresh.Membership().Of(fresh); !listed || len(m.PeerURLs) != 2 {
		t.Errorf("listed as %v", m)
	}
}

// TestIPv6 founds a cluster of one on the IPv6 loopback.
func TestIPv6(t *testing.T) {
	s := newSite(t, 1)
	h := s.lab.Host("3.6")
	const url = "http://[::1]:23800" // no port that a client is given
	r := s.elastic(h, "-initial-advertise-peer-urls="+url)
	s.want(r, 0, "found")
	h.StartWith(r.Stdout, "--listen-peer-urls="+url)
	s.lab.WaitFor("etcd to serve", func(ctx context.Context) error {
		_, err := h.TryStatus(ctx)
		return err
	})
	s.want(s.elastic(h, "-initial-advertise-peer-urls="+url), 0, "resume-running")
}

// TestVersionSkew: etcd itself would let a 3.6 into a 3.4 cluster, and its
// members would die of it.
func TestVersionSkew(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.4")
	s.found(hosts...)
	s.unchanged(hosts[0], func() {
		s.want(s.elastic(s.lab.Host("3.6"), "-cluster-size=5"), 78, "version-skew")
	})
	next := s.lab.Host("3.5")
	s.boot("join-listed", next, "-cluster-size=5")
	s.lab.WaitHealthy(4, append(hosts, next)...)
}

// TestTLS: members that speak TLS only are asked with certificates, and
// without them nobody is taken for dead.
func TestTLS(t *testing.T) {
	t.Parallel()
	lab := cluster.New(t)
	lab.Secure()
	s := newSiteIn(t, lab, 3)
	certs := lab.ClientCerts()
	files := []string{"-cacert=" + certs.CA, "-cert=" + certs.Cert, "-key=" + certs.Key}
	hosts := lab.Hosts(3, "3.6")
	s.found(hosts...)
	hosts[2].Kill()
	fresh := lab.Host("3.6")
	s.unchanged(hosts[0], func() {
		r := s.elastic(fresh)
		if r.Code != 78 || !strings.Contains(r.Stderr, "tls") && !strings.Contains(r.Stderr, "certificate") {
			t.Fatalf("without certificates: %s", r)
		}
	})
	s.boot("join-listed", fresh, files...)
	lab.WaitHealthy(3, hosts[0], hosts[1], fresh)
	if r := s.elastic(fresh, "-cacert="+certs.CA+".missing"); r.Code != 2 || !strings.Contains(r.Stderr, "missing") {
		t.Errorf("with a CA file that is not there: %s", r)
	}
}
