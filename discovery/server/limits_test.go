package server

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestWaiters(t *testing.T) {
	var w waiters
	enter := func(token string, want bool) func() {
		t.Helper()
		leave, ok := w.enter(token, 3, 2)
		if ok != want {
			t.Fatalf("%s: entered %v, want %v", token, ok, want)
		}
		return leave
	}
	first := enter("a", true)
	enter("a", true)
	enter("a", false)
	enter("b", true)
	enter("c", false)
	first()
	enter("b", true)
	enter("a", false)
}

func TestBearer(t *testing.T) {
	store, err := Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s, err := New(store, Options{MayCreate: func(sent string) bool { return sent == "secret" }})
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]int{"": 401, "Bearer wrong": 401, "secret": 401, "Basic secret": 401, "Bearer secret": 200} {
		r := httptest.NewRequest(http.MethodGet, "http://disco/new", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", header, w.Code, want)
		}
	}
}

// Requests are counted by what they are about, and told of without the token.
func TestMetrics(t *testing.T) {
	store, err := Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var told []string
	s, err := New(store, Options{Served: func(r Served) { told = append(told, r.What+" "+r.Method+" "+r.Token) }})
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.Repeat("0123456789abcdef", 2)
	for _, path := range []string{"/new", "/" + secret, "/odd", "/metrics"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://disco"+path, nil))
		if path != "/metrics" {
			continue
		}
		for _, want := range []string{
			`elastic_etcd_discovery_requests_total{code="200",method="GET",what="new"} 1`,
			`elastic_etcd_discovery_requests_total{code="404",method="GET",what="token"} 1`,
			`elastic_etcd_discovery_requests_total{code="404",method="GET",what="unknown"} 1`,
			`elastic_etcd_discovery_waiting_clients 0`,
			`elastic_etcd_discovery_request_seconds_count{what="token"} 1`,
			"go_goroutines", "process_open_fds",
		} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s is not in %s", want, w.Body)
			}
		}
	}
	if all := strings.Join(told, "\n"); strings.Contains(all, secret) || len(told) != 4 || !strings.HasPrefix(told[1], "token GET ") || len(told[1]) != len("token GET ")+8 {
		t.Errorf("told %q", told)
	}
}
