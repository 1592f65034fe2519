package etcdapi

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A URL with a zone is asked as it is, and so is the client port that it lets
// guess.
func TestZoneInURL(t *testing.T) {
	const peer = "http://[fe80::1%25lo]:12380"
	c, err := parseContact(peerPort, peer)
	if err != nil || c.url != peer {
		t.Errorf("got %+v, %v", c, err)
	}
	if got := newTestAPI(t, patient).guess(c); got.url != "http://[fe80::1%25lo]:1" {
		t.Errorf("guessed %+v", got)
	}
	s := newTestAPI(t, patient).Look(t.Context(), Where{Registered: []string{peer}})
	if s.Contacts != 2 || len(s.Failures) != 2 {
		t.Fatalf("saw %+v", s)
	}
	for _, f := range s.Failures {
		if f.URL != peer && f.URL != "http://[fe80::1%25lo]:1" {
			t.Errorf("asked %q: %s", f.URL, f.Error)
		}
	}
}

// An answer from such an address is one.
func TestZoneAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "[::1%lo]:0")
	if err != nil {
		t.Skip("NOT TESTED: no IPv6: ", err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Listener.Close()
	server.Listener = l
	server.Start()
	defer server.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	peer := "http://[::1%25lo]:" + port
	s := newTestAPI(t, patient).Look(t.Context(), Where{Registered: []string{peer}})
	if got := failureOf(s, peer); !strings.Contains(got, "404 Not Found") {
		t.Errorf("saw %+v", s)
	}
}
