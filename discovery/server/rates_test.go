package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRates(t *testing.T) {
	start := time.Unix(1e9, 0)
	r := newRates(0.5) // a burst of five
	taken := func(remote string, now time.Time) (n int) {
		for r.allow(remote, now) {
			n++
		}
		return n
	}
	for _, c := range []struct {
		remote string
		after  time.Duration
		want   int
	}{
		{"10.0.0.1:1", 0, 5}, {"10.0.0.1:2", 0, 0}, {"10.0.0.2:1", 0, 5}, {"[::ffff:10.0.0.2]:1", 0, 0},
		{"10.0.0.1:1", 4 * time.Second, 2},
		{"10.0.0.1:1", 11 * time.Second, 3}, // over a turn
		{"10.0.0.1:1", 60 * time.Second, 5},
		{"[fd00::1]:1", 60 * time.Second, 5}, {"[fd00::2]:1", 60 * time.Second, 0}, {"[fd00:0:0:1::1]:1", 60 * time.Second, 5},
		{"@", 60 * time.Second, 5}, {"", 60 * time.Second, 0},
	} {
		if got := taken(c.remote, start.Add(c.after)); got != c.want {
			t.Errorf("%s after %v: %d, want %d", c.remote, c.after, got, c.want)
		}
	}
	if !newRates(0).allow("x", start) {
		t.Error("no limit is one")
	}
}

func TestRatesAreBounded(t *testing.T) {
	r := newRates(1)
	for i := range 5 * maxAddresses {
		r.allow(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), time.Unix(1e9, 0))
		if n := len(r.fresh) + len(r.older); n > 2*maxAddresses {
			t.Fatalf("%d buckets", n)
		}
	}
}

// etcd's clients take a 503 for a passing failure; who makes tokens is a
// person or a script.
func TestTooManyRequests(t *testing.T) {
	s := startService(t, Options{NewRate: 0.1})
	token := s.newToken("1")
	if re := s.do("GET", "/new", nil); re.status != http.StatusTooManyRequests || re.header.Get("Retry-After") == "" {
		t.Errorf("/new: %d %s", re.status, re.body)
	}
	s.put(token+"/1", "a=http://a:1")

	s = startService(t, Options{Rate: 0.3})
	token = s.newToken("1")
	for range 2 {
		s.do("GET", token, nil)
	}
	re := s.do("GET", token, nil)
	if re.status != 503 || re.errorCode() != 300 || re.header.Get("Retry-After") == "" || !strings.Contains(re.body, "too many requests") {
		t.Errorf("%d %s", re.status, re.body)
	}
	for _, path := range []string{"/health", "/metrics"} { // systemd and Prometheus are not to be shut out
		if re := s.do("GET", path, nil); re.status != 200 {
			t.Errorf("%s: %d", path, re.status)
		}
	}
}
