package etcdapi

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

func TestHostilePeers(t *testing.T) {
	var redirected bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { redirected = true }))
	defer elsewhere.Close()
	const list = `[{"id":18446744073709551615,"peerURLs":["http://10.255.255.1:1"]}]`
	tests := []struct {
		name, want string
		handler    http.HandlerFunc
	}{
		{"garbage", "member list: invalid character", say("c1", "\x00\xff garbage")},
		{"oversized", "longer than 1048576 bytes", say("c1", strings.Repeat("[", maxBody+1))},
		{"no cluster ID", "not an etcd", say("", list)},
		{"bad cluster ID", "not an etcd", say("-1", list)},
		{"HTML", "not an etcd", say("", "<html>")},
		{"HTML with our header", "member list: invalid character '<'", say("c1", "<html>")},
		{"no members", "a list of 0 members", say("c1", "[]")},
		{"too many members", "a list of 101 members", say("c1", "["+strings.Repeat(`{"id":1},`, 100)+`{"id":1}]`)},
		{"one member twice", "twice or zero", say("c1", `[{"id":1},{"id":1}]`)},
		{"no member ID", "twice or zero", say("c1", `[{"name":"x"}]`)},
		{"ID of more than 64 bits", "cannot unmarshal number", say("c1", `[{"id":18446744073709551616}]`)},
		{"redirect", "302 Found", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }},
		{"status", "500 Internal Server Error", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		{"cut off", "unexpected EOF", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, list)
		}},
		{"huge header", "server response headers exceeded", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 2*maxHeader))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			defer server.Close()
			s := newTestAPI(t, patient).Look(t.Context(), Where{Registered: []string{server.URL}})
			if len(s.Clusters)+len(s.Views) > 0 || s.Contacts != 2 {
				t.Errorf("saw %+v", s)
			}
			if got := failureOf(s, server.URL); !strings.Contains(got, test.want) {
				t.Errorf("failure is %q, want %q", got, test.want)
			}
		})
	}
	if redirected {
		t.Error("followed a redirect")
	}
}

// say answers with a cluster ID and a body.
func say(cluster, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if cluster != "" {
			w.Header().Set(clusterHeader, cluster)
		}
		fmt.Fprint(w, body)
	}
}

func failureOf(s Sight, url string) string {
	for _, f := range s.Failures {
		if f.URL == url {
			return f.Error
		}
	}
	return ""
}

// TestSilence asks one that accepts and says nothing, as a frozen process
// does, and one that never comes to an end.
func TestSilence(t *testing.T) {
	frozen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer frozen.Close()
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(clusterHeader, "c1")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer endless.Close()
	const timeout = 50 * time.Millisecond
	a := newTestAPI(t, timeout, "http://"+frozen.Addr().String())
	s := a.Look(t.Context(), Where{Registered: []string{"http://" + frozen.Addr().String(), endless.URL}})
	if len(s.Clusters)+len(s.Views) > 0 {
		t.Errorf("saw %+v", s)
	}
	for _, url := range []string{"http://" + frozen.Addr().String(), endless.URL} {
		if got := failureOf(s, url); !strings.Contains(got, "no complete answer within 50ms") {
			t.Errorf("failure of %s is %q", url, got)
		}
	}
}

func TestLookEndsWithItsContext(t *testing.T) {
	frozen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer frozen.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s := newTestAPI(t, patient).Look(ctx, Where{Registered: []string{"http://" + frozen.Addr().String()}}); len(s.Failures) != 2 {
		t.Errorf("saw %+v", s)
	}
}

// TestScanIsBounded meets a member list that names half the world.
func TestScanIsBounded(t *testing.T) {
	var list []string
	for i := range maxMembers {
		list = append(list, fmt.Sprintf(`{"id":%d,"peerURLs":["http://127.9.%d.1:1","http://127.9.%d.2:1","unix:///s","file:///etc/passwd","http://u:p@127.9.9.9:1"]}`, i+1, i, i))
	}
	var many []string
	for range 10 {
		server := httptest.NewServer(say("c1", "["+strings.Join(list, ",")+"]"))
		defer server.Close()
		many = append(many, server.URL)
	}
	s := newTestAPI(t, patient).Look(t.Context(), Where{Registered: many[:1]})
	if s.Contacts != 2+maxLearned {
		t.Errorf("asked %d addresses, want %d", s.Contacts, 2+maxLearned)
	}
	for i := range 400 {
		many = append(many, fmt.Sprintf("http://127.8.%d.%d:1", i/200, 1+i%200))
	}
	if s := newTestAPI(t, patient).Look(t.Context(), Where{Registered: many}); s.Contacts != maxContacts {
		t.Errorf("asked %d addresses, want %d", s.Contacts, maxContacts)
	}
}

func TestHealthy(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
	c, _ := lookAt(t, newTestAPI(t, patient, f.url))
	one, two := c.Members[0], c.Members[1]
	if c.ID != 0xc1 || c.API != "v2" || c.From != f.url || c.Leader != 1 || c.Term != 7 || c.NoProof != "" {
		t.Errorf("cluster %+v", c)
	}
	if c.Version != (joiner.Version{Major: 2, Minor: 3}) || one.Version != c.Version || two.Version.Known() {
		t.Errorf("versions %s, %s, %s", c.Version, one.Version, two.Version)
	}
	if one.Health.Reached != f.url || !one.Health.Following || one.Health.Match != 10 {
		t.Errorf("the leader: %+v", one.Health)
	}
	if two.Health.Reached != "" || !two.Health.Following {
		t.Errorf("one that only the leader hears of: %+v", two.Health)
	}
}

// TestReachedByIDOnly advertises the address of another member, as two hosts
// do that both say localhost.
func TestReachedByIDOnly(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, nil)
	f.members[1].ClientURLs = []string{f.url}
	c, _ := lookAt(t, newTestAPI(t, patient, f.url))
	if got := c.Members[1].Health.Reached; got != "" {
		t.Errorf("member 2 is reached at %s, where member 1 answers", got)
	}
}

// TestForeignPeer has another cluster on the address of a member.
func TestForeignPeer(t *testing.T) {
	for cluster, reached := range map[string]bool{"c1": true, "c2": false} {
		other := httptest.NewServer(say(cluster, `[{"id":9,"peerURLs":["http://127.9.9.9:1"]}]`))
		defer other.Close()
		f := pair(t, []string{other.URL}, []string{"http://127.9.9.2:2"})
		c, s := lookAt(t, newTestAPI(t, patient, f.url))
		if got := c.Members[1].Health.Reached != ""; got != reached {
			t.Errorf("cluster %s: %+v", cluster, c.Members[1].Health)
		}
		if got := failureOf(s, other.URL); strings.Contains(got, "answers for cluster c2") == reached {
			t.Errorf("cluster %s: failure %q", cluster, got)
		}
	}
}

// TestTLSFailureIsUnclear has members that do speak TLS, but not with us.
func TestTLSFailureIsUnclear(t *testing.T) {
	strange := httptest.NewUnstartedServer(http.NotFoundHandler())
	strange.Config.ErrorLog = log.New(io.Discard, "", 0)
	strange.StartTLS()
	defer strange.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	tests := map[string]string{
		"unknown authority": strange.URL,
		"http to https":     "http" + strings.TrimPrefix(strange.URL, "https"),
		"https to http":     "https" + strings.TrimPrefix(plain.URL, "http"),
	}
	for name, url := range tests {
		f := pair(t, []string{url}, []string{"http://127.9.9.2:2"})
		c, s := lookAt(t, newTestAPI(t, patient, f.url))
		h := c.Members[1].Health
		if h.Reached != "" || !strings.Contains(h.Unclear, "TLS failure") || h.Silent != 0 {
			t.Errorf("%s: %+v", name, h)
		}
		if !strings.Contains(failureOf(s, url), "TLS failure") {
			t.Errorf("%s: failures %+v", name, s.Failures)
		}
	}
}

// TestNoQuorum wants a view of one member only.
func TestNoQuorum(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
	f.leader = 0
	s := newTestAPI(t, patient, f.url).Look(t.Context(), Where{})
	if len(s.Clusters) != 0 || len(s.Views) != 1 || s.Views[0].ClusterID != 0xc1 || len(s.Views[0].Members) != 2 {
		t.Errorf("saw %+v", s)
	}
	if got := failureOf(s, f.url); !strings.Contains(got, "no leader") {
		t.Errorf("failure is %q", got)
	}
}

// TestMemory loses the address it started from.
func TestMemory(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
	peer := httptest.NewServer(say("c1", fmt.Sprintf(`[{"id":1,"peerURLs":["http://127.9.9.1:1"],"clientURLs":[%q]}]`, f.url)))
	a := newTestAPI(t, patient)
	if s := a.Look(t.Context(), Where{Registered: []string{peer.URL}}); len(s.Clusters) != 1 || s.Clusters[0].Named {
		t.Fatalf("saw %+v", s)
	}
	if s := a.Look(t.Context(), Where{Peers: []string{peer.URL}}); len(s.Clusters) != 1 || !s.Clusters[0].Named {
		t.Fatalf("named, and saw %+v", s)
	}
	peer.Close()
	lookAt(t, a)
	f.mu.Lock()
	f.members = f.members[:1]
	f.mu.Unlock()
	lookAt(t, a)
	if c, s := lookAt(t, a); failureOf(s, "http://127.9.9.2:1") != "" || !c.Named {
		t.Errorf("still asks a member that was removed: %+v", s.Failures)
	}
}

// TestNamedAt counts the addresses that the admin named, and those at which a
// cluster answers. A member that it leads to is not one of them.
func TestNamedAt(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
	other := newFake(t, 2)
	other.cluster, other.leader = 0xc2, 0
	other.members = []joiner.Member{{ID: 2, PeerURLs: []string{"http://127.9.9.2:1"}, ClientURLs: []string{other.url}}}
	f.members[1].ClientURLs = []string{other.url}
	s := newTestAPI(t, patient, f.url, "http://127.9.9.3:1", "http://127.9.9.4:1").Look(t.Context(), Where{})
	if len(s.Clusters) != 1 || s.Clusters[0].NamedAt != 1 || !s.Clusters[0].Named || s.Named != 3 {
		t.Errorf("%+v", s)
	}
	if len(s.Views) != 1 || s.Views[0].ClusterID != 0xc2 || s.Views[0].Named {
		t.Errorf("%+v", s.Views)
	}
	if s := newTestAPI(t, patient, f.url, other.url).Look(t.Context(), Where{}); len(s.Views) != 1 || !s.Views[0].Named {
		t.Errorf("both named: %+v", s)
	}
}

// TestOwnIsNamed: where nothing else is given, status is about this host.
func TestOwnIsNamed(t *testing.T) {
	for _, where := range []Where{{}, {Registered: []string{"http://127.9.9.9:1"}}, {Peers: []string{"http://127.9.9.9:1"}}} {
		f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
		a := newTestAPI(t, patient)
		a.clientPort, a.thorough, a.own = portOf(t, f.url), true, []string{"http://127.0.0.1:3"}
		s := a.Look(t.Context(), where)
		if want := len(where.Registered)+len(where.Peers) == 0; len(s.Clusters) != 1 || s.Clusters[0].Named != want {
			t.Errorf("%+v: %+v", where, s)
		}
	}
}

func TestEvidenceGrows(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
	a := newTestAPI(t, patient, f.url)
	f.vars = []string{vars(1, 10, map[joiner.ID]uint64{1: 10, 2: 5})}
	lookAt(t, a)
	f.mu.Lock()
	f.members = append(f.members, joiner.Member{ID: 3, PeerURLs: []string{"http://127.9.9.3:1"}})
	f.vars = []string{vars(1, 11, map[joiner.ID]uint64{1: 11, 2: 5, 3: 0})}
	f.mu.Unlock()
	c, _ := lookAt(t, a)
	if h := c.Members[1].Health; h.Silent == 0 || h.Following || h.Match != 5 {
		t.Errorf("a lost member: %+v", h)
	}
}
