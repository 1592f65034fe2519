package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serving runs Serve and returns its URL, its end and what it returned.
func serving(t *testing.T) (base string, stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	return servingWithin(t, usualTimes())
}

func servingWithin(t *testing.T, most times) (base string, stop context.CancelFunc, ended <-chan error) {
	t.Helper()
	store, err := Open(filepath.Join(t.TempDir(), "d.db"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(store, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, l, s, most)
		close(done)
		store.Close()
	}()
	t.Cleanup(func() { cancel(); <-done })
	return "http://" + l.Addr().String(), cancel, done
}

func fetch(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestServeEndsPollsWhenItEnds(t *testing.T) {
	base, stop, ended := serving(t)
	_, discovery := fetch(t, base+"/new")
	if !strings.HasPrefix(discovery, base+"/") {
		t.Fatalf("/new: %q", discovery)
	}
	resp, err := http.Get(discovery + "?wait=true&recursive=true")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stop()
	if body, err := io.ReadAll(resp.Body); err != nil || len(body) != 0 {
		t.Errorf("poll: %q %v", body, err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Serve does not end")
	}
	if resp, err := http.Get(base + "/health"); err == nil {
		resp.Body.Close()
		t.Error("still served")
	}
}

func TestServeFailsWithItsListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s, _ := New(nil, Options{})
	if err := Serve(t.Context(), l, s); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}

// A poll takes minutes; the timeouts of its connection would cut it off.
func TestPollOutlivesTheTimeoutsOfItsConnection(t *testing.T) {
	const timeout, poll = 500 * time.Millisecond, 1500 * time.Millisecond
	s := startService(t, Options{PollTimeout: poll})
	token := s.newToken("3")
	slow := httptest.NewUnstartedServer(s.srv)
	slow.Config.ReadTimeout, slow.Config.WriteTimeout = timeout, timeout
	slow.Start()
	defer slow.Close()
	start := time.Now()
	resp, body := fetch(t, slow.URL+token+"?wait=true")
	if took := time.Since(start); took < poll || resp.StatusCode != 200 || body != "" {
		t.Errorf("after %v: %d %q", took, resp.StatusCode, body)
	}
}
