package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/discovery/registry"
)

// shortTimes make a slow client one soon.
func shortTimes() times {
	return times{header: 300 * time.Millisecond, read: 600 * time.Millisecond, write: time.Second, idle: time.Minute}
}

// dial opens a connection to the service and sends the beginning of something.
func dial(t *testing.T, base, sent string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	return conn
}

// trickle sends a byte now and then until the other side closes, and tells how
// long that took.
func trickle(t *testing.T, conn net.Conn) time.Duration {
	start := time.Now()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, conn)
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-closed:
			return time.Since(start)
		case <-tick.C:
			_, _ = conn.Write([]byte("x"))
		}
		if time.Since(start) > patience {
			t.Error("it is still open")
			return patience
		}
	}
}

// Many who send their header or body a byte at a time are cut off, and in the
// meantime everybody else is served.
func TestSlowClientsAreCutOff(t *testing.T) {
	most := shortTimes()
	base, _, _ := servingWithin(t, most)
	_, made := fetch(t, base+"/new")
	token := strings.TrimPrefix(made, base)
	var slow sync.WaitGroup
	for i := range 200 {
		sent, bound := "GET "+token+" HTTP/1.1\r\nHost: x\r\nX: ", most.header
		if i%2 == 0 {
			sent, bound = "PUT "+token+"/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\nvalue=", most.read
		}
		conn := dial(t, base, sent)
		slow.Go(func() {
			if took := trickle(t, conn); took > bound+5*time.Second {
				t.Errorf("%.10q: open for %v", sent, took)
			}
		})
	}
	for range 20 {
		if resp, _ := fetch(t, base+token); resp.StatusCode != 200 {
			t.Errorf("meanwhile: %s", resp.Status)
		}
	}
	slow.Wait()
	if _, body := fetch(t, base+token); strings.Contains(body, `"nodes"`) {
		t.Errorf("half a request was served: %s", body)
	}
}

// A client whose request is slow for once may try again.
func TestASlowBodyIsNoMistake(t *testing.T) {
	base, _, _ := servingWithin(t, shortTimes())
	_, made := fetch(t, base+"/new")
	token := strings.TrimPrefix(made, base)
	conn := dial(t, base, "PUT "+token+"/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 30\r\n\r\nvalue=")
	answer, err := io.ReadAll(conn) // to its end
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503 ") || !strings.Contains(string(answer), "\r\nConnection: close\r\n") {
		t.Errorf("%v: %s", err, answer)
	}
}

// A client that does not read what it asked for is let go.
func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	base, _, _ := servingWithin(t, shortTimes())
	_, made := fetch(t, base+"/new")
	ask := "GET " + strings.TrimPrefix(made, base) + " HTTP/1.1\r\nHost: x\r\n\r\n"
	conn := dial(t, base, "")
	var err error
	for start := time.Now(); err == nil && time.Since(start) < patience; {
		_, err = io.WriteString(conn, strings.Repeat(ask, 100))
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it may ask for ever: %v", err)
	}
}

// Whatever comes over the wire is answered with a refusal, if at all.
func TestMalformedRequests(t *testing.T) {
	base, _, _ := servingWithin(t, shortTimes())
	_, made := fetch(t, base+"/new")
	token := strings.TrimPrefix(made, base)
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		sent string
		code string // of the answer; "" = the connection is just closed
	}{
		"nothing HTTP":       {"\x16\x03\x01\x02\x00hello\r\n\r\n", "400"},
		"no such version":    {"GET / HTTP/9.9\r\nHost: x\r\n\r\n", "505"},
		"no host":            {"GET /new HTTP/1.1\r\n\r\n", "400"},
		"two hosts":          {"GET /new HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
		"another's URL":      {"GET http://other/new HTTP/1.1\r\nHost: evil<script>\r\n\r\n", "400"},
		"a proxy":            {"CONNECT other:443 HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"long target":        {"GET /" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", "431"},
		"long header":        {"GET " + token + " HTTP/1.1\r\nHost: x\r\nX: " + long + "\r\n\r\n", "431"},
		"many headers":       {"GET " + token + " HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 10000) + "\r\n", "431"},
		"a NUL":              {"GET " + token + "\x00 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
		"length and chunks":  {"PUT " + token + "/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		"two lengths":        {"PUT " + token + "/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400"},
		"bad chunks":         {"PUT " + token + "/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
		"endless chunks":     {"PUT " + token + "/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + long[:1<<16] + "\r\n", "413"},
		"a long body":        {fmt.Sprintf("PUT %s/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", token, 1<<16, long[:1<<16]), "413"},
		"a promised body":    {"PUT " + token + "/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"},
		"a dot":              {"GET " + token + "/../new HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"an escaped dot":     {"GET " + token + "/%2e%2e/new HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"a backslash":        {"GET " + token + "\\..\\new HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"a method of spaces": {"GET  /new HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
	} {
		conn := dial(t, base, "")
		go func() { _, _ = io.WriteString(conn, c.sent) }() // the answer may come before its end
		line, err := bufio.NewReader(conn).ReadString('\n')
		if !strings.Contains(line, " "+c.code+" ") {
			t.Errorf("%s: %q, %v; want %s", name, line, err, c.code)
		}
	}
	if resp, body := fetch(t, base+token); resp.StatusCode != 200 || strings.Contains(body, `"nodes"`) {
		t.Errorf("after all that: %s: %s", resp.Status, body)
	}
}

// FuzzWire sends bytes to the service as a connection has them. It never falls
// over, and no founder is ever changed.
func FuzzWire(f *testing.F) {
	full, open := strings.Repeat("f", registry.TokenLen), strings.Repeat("0", registry.TokenLen)
	for _, seed := range []string{
		"GET /new?size=3 HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.0\r\n\r\n",
		"PUT /" + open + "/1?prevExist=false HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n\r\nvalue=a=http://h:1",
		"PUT /" + full + "/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nvalue\r\n0\r\n\r\n",
		"DELETE /" + full + "/1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
		"GET /" + full + "?wait=true HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	s, store := fuzzService(f, full, open)
	want := founders(f, store, full)
	server := httptest.NewServer(s)
	f.Cleanup(server.Close)
	addr := strings.TrimPrefix(server.URL, "http://")
	f.Fuzz(func(t *testing.T, sent []byte) {
		exchange(t, addr, sent)
		if got := founders(t, store, full); len(got) != len(want) || got[0] != want[0] {
			t.Errorf("founders: %+v, want %+v", got, want)
		}
		if resp, err := http.Get(server.URL + "/health"); err != nil || resp.StatusCode != 200 {
			t.Fatalf("health: %v, %v", resp, err)
		} else {
			resp.Body.Close()
		}
	})
}

// exchange sends bytes and reads what is answered until there is no more.
func exchange(t *testing.T, addr string, sent []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.Copy(conn, bytes.NewReader(sent))
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(io.LimitReader(conn, 1<<20))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q: neither answered nor closed: %q", sent, answer)
	}
}

// TestNothingIsListed: no request without a token leads to one.
func TestNothingIsListed(t *testing.T) {
	store, err := Open(filepath.Join(t.TempDir(), "d.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	token := registry.NewToken()
	if err := store.Create(t.Context(), token, 3); err != nil {
		t.Fatal(err)
	}
	s, err := New(store, Options{PollTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PROPFIND"} {
		for _, path := range []string{"/", "/?recursive=true", "/?wait=true&recursive=true&waitIndex=1", "/_etcd/registry", "/_etcd/registry/", "/v2/keys/?recursive=true",
			"/v2/keys/_etcd/registry", "/metrics", "/health", "/" + token[:31], "/" + token[:31] + "?recursive=true", "/" + token[:31] + "*", "/debug/vars", "/debug/pprof/"} {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(method, "http://disco"+path, nil))
			if strings.Contains(w.Body.String()+fmt.Sprint(w.Header()), token) {
				t.Errorf("%s %s: %s", method, path, w.Body)
			}
		}
	}
}
