package etcdapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// TestIfRefused: only the one answer that etcd gives for another member tells
// that a peer port is not a member's.
func TestIfRefused(t *testing.T) {
	tests := map[string]struct {
		server string
		status int
		body   string
		want   joiner.ID
	}{
		"another member":        {"3.6.16", http.StatusPreconditionFailed, "to field mismatch\n", 0xb},
		"the member itself":     {"3.6.16", http.StatusNotFound, "error sender not found\n", 0},
		"another cluster":       {"3.6.16", http.StatusPreconditionFailed, "cluster ID mismatch\n", 0},
		"too old":               {"3.6.16", http.StatusPreconditionFailed, "incompatible version\n", 0},
		"removed":               {"3.6.16", http.StatusGone, "to field mismatch\n", 0},
		"more than the refusal": {"3.6.16", http.StatusPreconditionFailed, "to field mismatch, says the proxy\n", 0},
		"no version to ask as":  {"", http.StatusPreconditionFailed, "to field mismatch\n", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var asked *http.Request
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			}))
			defer server.Close()
			ans := answer{contact: contact{peerPort, server.URL}, cluster: 0xc, versions: versions{full: test.server}}
			if got := newTestAPI(t, patient).ifRefused(t.Context(), ans, joiner.Member{ID: 0xb}); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			// A stream from another member than the one it is for would open.
			if asked != nil && (asked.URL.Path != "/raft/stream/message/b" || asked.Header.Get("X-Raft-To") != "b" || asked.Header.Get(clusterHeader) != "c") {
				t.Errorf("asked %s with %v", asked.URL, asked.Header)
			}
		})
	}
}

// TestPeerPortOfAnother: where a log does not follow, and no client port speaks for
// the member, its peer port is asked whose it is.
func TestPeerPortOfAnother(t *testing.T) {
	const gone, refused, ours = "http://127.9.9.2:2", http.StatusPreconditionFailed, http.StatusNotFound
	for _, c := range []struct {
		name          string
		match         uint64 // of 10
		status        int
		client        string // "" = one that says that it is the member's
		reached, asks bool
	}{
		{"another member's", 5, refused, gone, false, true},
		{"the member's own", 5, ours, gone, true, true},
		{"of one that follows", 10, refused, gone, true, false},
		{"of one whose client port answers", 5, refused, "", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := false
			peer := peerOfTwo(t, func(w http.ResponseWriter, r *http.Request) {
				asked = true
				http.Error(w, refusal, c.status)
			})
			second := newFake(t, 2)
			if c.client == "" {
				c.client = second.url
			}
			first := pair(t, []string{peer}, []string{c.client})
			second.leader, second.members = 1, first.members
			first.vars = []string{vars(1, 10, map[joiner.ID]uint64{1: 10, 2: c.match})}
			a := newTestAPI(t, patient, first.url)
			a.thorough = true // waits for all that answer
			cluster, s := lookAt(t, a)
			h := cluster.Members[1].Health
			if (h.Reached != "") != c.reached || (h.Other == peer) == c.reached || asked != c.asks {
				t.Errorf("asked: %v; got %+v", asked, h)
			}
			if told := failureOf(s, peer) != ""; told == c.reached {
				t.Errorf("failures: %+v", s.Failures)
			}
		})
	}
}

// TestMutePort: a client port that says nothing is waited for where the peer port
// may be another member's, and only there.
func TestMutePort(t *testing.T) {
	for match, timeout := range map[uint64]time.Duration{5: 3 * time.Second, 10: patient} {
		t.Run(fmt.Sprint("match ", match), func(t *testing.T) {
			mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
			t.Cleanup(mute.Close)
			peer := peerOfTwo(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, refusal, http.StatusNotFound) })
			first := pair(t, []string{peer}, []string{mute.URL})
			first.vars = []string{vars(1, 10, map[joiner.ID]uint64{1: 10, 2: match})}
			_, s := lookAt(t, newTestAPI(t, timeout, first.url))
			if waited := failureOf(s, mute.URL) != ""; waited != (match < 10) {
				t.Errorf("waited: %t; failures: %+v", waited, s.Failures)
			}
		})
	}
}

// peerOfTwo is a peer port in the cluster of pair, which answers streams so.
func peerOfTwo(t *testing.T, streams http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/raft/", streams)
	mux.HandleFunc("/version", say("c1", `{"etcdserver":"3.6.16","etcdcluster":"3.6.0"}`))
	mux.HandleFunc("/members", say("c1", fmt.Sprintf(`[{"id":1,"peerURLs":["http://127.9.9.1:1"]},{"id":2,"peerURLs":[%q]}]`, server.URL)))
	return server.URL
}
