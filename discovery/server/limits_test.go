package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
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

// A store that is full is in the log, and does not fill that.
func TestNoRoomIsTold(t *testing.T) {
	var told []string
	s := startService(t, Options{Report: func(err error) { told = append(told, err.Error()) }})
	token := s.newToken("1")
	s.put(token+"/1", "a=http://h:1")
	s.store.Bound(1)
	for range 10 {
		if re := s.do("GET", "/new", nil); re.status != 507 {
			t.Errorf("/new: %d %s", re.status, re.body)
		}
	}
	s.srv.health.full = time.Now().Add(-fullTime)
	for range 10 {
		if re := s.do("PUT", token+"/2", url.Values{"value": {"b=http://h:2"}}); re.status != 507 {
			t.Errorf("a late one: %d %s", re.status, re.body)
		}
	}
	want := []string{"create discovery token: " + ErrNoRoom.Error(), "register member: " + ErrNoRoom.Error()}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// stuck is a client that takes nothing of its answer until it is told to.
type stuck struct {
	*httptest.ResponseRecorder
	writing, take chan bool
}

func (s stuck) Write(b []byte) (int, error) {
	s.writing <- true
	<-s.take
	return s.ResponseRecorder.Write(b)
}

// longValue is a registration of half a kilobyte. It is not longer as JSON.
func longValue(i int) string {
	name := strings.Repeat("<", 240) + fmt.Sprint(i)
	return fmt.Sprintf("%s=http://h%d:1,%[1]s=http://h%[2]d:2", name, i)
}

// Clients that do not read hold no more than so many bytes of answers; small
// answers are given all the same.
func TestAnswersUnderWay(t *testing.T) {
	s := startService(t, Options{Rate: 1000})
	token, small := s.newToken("40"), s.newToken("1")
	for i := range 40 {
		s.put(fmt.Sprintf("%s/%x", token, i), longValue(i))
	}
	s.put(small+"/1", "a=http://a:1")
	size := len(s.do("GET", token, nil).body)
	s.srv.answers = &answers{most: 2 * size, mostOfAddr: size}
	get := func(w http.ResponseWriter, path, from string) {
		r := httptest.NewRequest(http.MethodGet, "http://disco"+path, nil)
		r.RemoteAddr = from + ":1"
		s.srv.ServeHTTP(w, r)
	}
	slow := stuck{httptest.NewRecorder(), make(chan bool), make(chan bool)}
	ended := make(chan bool)
	go func() { get(slow, token, "10.0.0.1"); ended <- true }()
	<-slow.writing
	for _, c := range []struct {
		path, from string
		code       int
	}{{token, "10.0.0.1", 503}, {small, "10.0.0.1", 200}, {token, "10.0.0.2", 200}} {
		w := httptest.NewRecorder()
		get(w, c.path, c.from)
		if w.Code != c.code || (w.Header().Get("Retry-After") != "") != (c.code == 503) {
			t.Errorf("%s for %s: %d %v", c.path, c.from, w.Code, w.Header())
		}
	}
	slow.take <- true
	<-ended
	w := httptest.NewRecorder()
	if get(w, token, "10.0.0.1"); w.Code != 200 {
		t.Errorf("afterwards: %d", w.Code)
	}
}

// The largest token that can be made has an answer of less than a megabyte.
func TestTheLargestAnswer(t *testing.T) {
	o := Options{}.withDefaults()
	d := Directory{Size: o.MaxSize}
	for i := range o.MaxEntries {
		value := "x=http://h:1"
		if i < d.Size { // quotes are the longest of what is printable
			value = strings.Repeat("\"", o.MaxValue-16) + fmt.Sprintf("%d=http://h:%d", i, i+1)
		}
		if err := d.Admit(value, o.MaxEntries); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		d.Entries = append(d.Entries, Entry{ID: fmt.Sprintf("%016x", i), Value: value, Index: uint64(i + 2)})
	}
	n, _ := d.node(target{kind: kindDir, token: strings.Repeat("0", 32)}, false)
	if body, err := toJSON(event{Action: "get", Node: n}); err != nil || len(body) > 1<<20 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

// A value of 2 kB is taken, and no longer one.
func TestLongValues(t *testing.T) {
	for n, want := range map[int]int{2048: 0, 2049: http.StatusRequestEntityTooLarge} {
		value := "a=http://a:1"
		for i := 2; len(value) < n-40; i++ {
			value += fmt.Sprintf(",a=http://a:%d", i)
		}
		value += ",a=http://" + strings.Repeat("x", n-len(value)-len(",a=http://:1")) + ":1"
		_, err := checkValue(value, Options{}.withDefaults().MaxValue)
		var refused *protocolError
		if errors.As(err, &refused); len(value) != n || (err == nil) != (want == 0) || err != nil && refused.status != want {
			t.Errorf("%d bytes: %v", len(value), err)
		}
	}
}

// Nobody makes a token longer than its readers take. Founders have a place all
// the same, and together they are not that long.
func TestLateRegistrationsAreBounded(t *testing.T) {
	d := Directory{Size: 1, Entries: []Entry{{Value: strings.Repeat("x", maxBytes)}}}
	if err := d.Admit("a=http://h:1", 10); !errors.Is(err, ErrFull) {
		t.Errorf("behind the founders: %v", err)
	}
	d.Size = 2
	if err := d.Admit("a=http://h:1", 10); err != nil {
		t.Errorf("a founder: %v", err)
	}
	if o := (Options{}).withDefaults(); o.MaxSize*o.MaxValue > maxBytes {
		t.Errorf("founders may have %d bytes", o.MaxSize*o.MaxValue)
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
