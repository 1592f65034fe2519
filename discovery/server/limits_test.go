package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWaiters(t *testing.T) {
	var w waiters
	addr := netip.MustParsePrefix("10.0.0.1/32")
	enter := func(token string, want bool) func() {
		t.Helper()
		leave, ok := w.enter(token, addr, most{3, 2, 9})
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

// One address does not take the polls of all.
func TestWaitersOfAddress(t *testing.T) {
	var w waiters
	bounds := most{10, 10, 2}
	one, other := netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("10.0.0.2/32")
	leave, _ := w.enter("a", one, bounds)
	if _, ok := w.enter("b", one, bounds); !ok {
		t.Error("the second is refused")
	}
	if _, ok := w.enter("c", one, bounds); ok {
		t.Error("the third is let in")
	}
	if _, ok := w.enter("c", other, bounds); !ok {
		t.Error("another address is refused")
	}
	leave()
	if _, ok := w.enter("c", one, bounds); !ok {
		t.Error("one left, and no other may come")
	}
}

// One address does not hold all connections.
func TestConnections(t *testing.T) {
	store, err := Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s, err := New(store, Options{Rate: 1000, MaxWaitersPerAddress: 2})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, s) }()
	get := func(from *http.Client) error {
		res, err := from.Get("http://" + l.Addr().String() + "/health")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	clients := []*http.Client{{Transport: &http.Transport{}}, {Transport: &http.Transport{}}, {Transport: &http.Transport{}}}
	for i, c := range clients {
		if err := get(c); (err == nil) != (i < 2) {
			t.Errorf("connection %d: %v", i+1, err)
		}
	}
	clients[0].CloseIdleConnections()
	for end := time.Now().Add(10 * time.Second); get(clients[2]) != nil; time.Sleep(10 * time.Millisecond) { // until the server has seen that
		if time.Now().After(end) {
			t.Fatal("one is closed, and no other may come")
		}
	}
	for _, c := range clients {
		c.CloseIdleConnections()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A store that is full takes founders of the tokens that there are, and nobody
// else.
func TestNoRoom(t *testing.T) {
	store, err := Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Create(t.Context(), "t", 1); err != nil {
		t.Fatal(err)
	}
	store.Bound(1)
	if err := store.Create(t.Context(), "u", 1); !errors.Is(err, ErrNoRoom) {
		t.Errorf("a token: %v", err)
	}
	if _, _, err := store.Register(t.Context(), "t", "1", "a=http://h:1", 10); err != nil {
		t.Errorf("a founder: %v", err)
	}
	if _, _, err := store.Register(t.Context(), "t", "2", "b=http://h:2", 10); !errors.Is(err, ErrNoRoom) {
		t.Errorf("a late one: %v", err)
	}
	s, err := New(store, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://disco/new", nil))
	if w.Code != http.StatusInsufficientStorage {
		t.Errorf("/new: %d %s", w.Code, w.Body)
	}
}

// Nobody makes a token longer than its readers take.
func TestLateRegistrationsAreBounded(t *testing.T) {
	d := Directory{Size: 1, Entries: []Entry{{Value: strings.Repeat("x", maxLate)}}}
	if err := d.Admit("a=http://h:1", 10); !errors.Is(err, ErrFull) {
		t.Errorf("behind the founders: %v", err)
	}
	d.Size = 2
	if err := d.Admit("a=http://h:1", 10); err != nil {
		t.Errorf("a founder: %v", err)
	}
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
	for header, want := range map[string]int{"": 401, "Bearer wrong": 401, "secret": 401, "Basic secret": 401, "Bearer secret": 200, "bearer secret": 200} {
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
