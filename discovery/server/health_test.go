package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// full is a store whose writes end with an error.
type full struct {
	Store
	err error
}

func (f *full) Create(ctx context.Context, token string, size int) error {
	if f.err != nil {
		return wrap("create", f.err)
	}
	return f.Store.Create(ctx, token, size)
}

// A store that can be read, and not written for lack of space, is not healthy.
func TestHealthOfAFullStore(t *testing.T) {
	file, err := Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	store := &full{Store: file}
	s, err := New(store, Options{})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string, want int) {
		t.Helper()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://disco"+path, nil))
		if w.Code != want {
			t.Errorf("%s: %d %s, want %d", path, w.Code, w.Body, want)
		}
	}
	get("/health", 200)
	store.err = fmt.Errorf("write: %w", syscall.ENOSPC)
	get("/new", 500)
	get("/health", 503)
	store.err = nil
	get("/new", 200)
	get("/health", 200)
	store.err = fmt.Errorf("%w: %w", ErrNoRoom, ErrNoSpace) // an etcd with the alarm
	get("/new", 507)
	get("/health", 503)
	s.health.noSpace = time.Now().Add(-noSpaceTime)
	get("/health", 200)
	store.err = ErrNoRoom
	get("/new", 507)
	get("/health", 200)
}

// counted is a store that counts who reads it.
type counted struct {
	Store
	loads int
	err   error
}

func (c *counted) Load(ctx context.Context, _ string) (Directory, error) {
	c.loads++
	return Directory{}, errors.Join(c.err, ctx.Err())
}

// Whoever asks for the health as often as he can does not reach the store.
func TestHealthIsRemembered(t *testing.T) {
	store := &counted{err: ErrUnknownToken}
	reports := 0
	s, err := New(store, Options{Report: func(error) { reports++ }})
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for i, c := range []struct{ code, loads, reports int }{{200, 1, 0}, {200, 1, 0}, {503, 2, 1}, {503, 2, 1}} {
		if i == 2 {
			store.err, s.health.checked = errors.New("broken"), time.Time{}
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://disco/health", nil).WithContext(gone))
		if w.Code != c.code || store.loads != c.loads || reports != c.reports {
			t.Errorf("%d: %d, read %d times, %d reports; want %+v", i, w.Code, store.loads, reports, c)
		}
	}
}
