package server

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
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
