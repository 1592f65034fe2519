package etcdapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

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
