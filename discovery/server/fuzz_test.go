package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/discovery/registry"
)

// FuzzRequest sends requests to a service with one full token, one that still
// has room, and one late entry. Whatever comes: no panic, no 5xx, a v2 answer
// in JSON, and the founders stay as they are.
func FuzzRequest(f *testing.F) {
	full, open := "/"+strings.Repeat("f", registry.TokenLen), "/"+strings.Repeat("0", registry.TokenLen)
	addSeeds(f, full, open)
	s, store := fuzzService(f, full[1:], open[1:])
	want := founders(f, store, full[1:])
	f.Fuzz(func(t *testing.T, method, target, contentType, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Skip("net/http refuses it")
		}
		r := &http.Request{Method: method, URL: u, Host: "d.example.org", Header: http.Header{"Content-Type": {contentType}},
			Body: io.NopCloser(strings.NewReader(body))}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r.WithContext(t.Context()))
		checkAnswer(t, r, w)
		if got := founders(t, store, full[1:]); !reflect.DeepEqual(got, want) {
			t.Errorf("founders: %+v, want %+v", got, want)
		}
	})
}

func addSeeds(f *testing.F, full, open string) {
	f.Helper()
	const formType = "application/x-www-form-urlencoded"
	for _, seed := range []struct{ method, target, contentType, body string }{
		{"GET", "/new?size=3", "", ""},
		{"POST", "/new", formType, "size=5"},
		{"GET", "/health", "", ""},
		{"GET", full, "", ""},
		{"HEAD", full + "/?quorum=false&recursive=false&sorted=true", "", ""},
		{"GET", full + "/_config/size", "", ""},
		{"GET", full + "?wait=true&recursive=true&waitIndex=2", "", ""},
		{"GET", open + "/1?wait=true&waitIndex=9", "", ""},
		{"PUT", open + "/1?prevExist=false", formType, "value=a%3Dhttp%3A%2F%2Fa%3A2380"},
		{"PUT", full + "/1", formType, "value=x"},
		{"PUT", full + "/1?prevExist=true&value=x", "multipart/form-data; boundary=x", "--x--"},
		{"PUT", open + "/01", formType, "value=%ff"},
		{"PUT", open + "/2", formType, "value=%zz;&&=&value"},
		{"PUT", open + "/3", formType, "value=" + strings.Repeat("%20", 200)},
		{"DELETE", full + "/1?recursive=true", "", ""},
		{"DELETE", full + "/2", "", ""},
		{"GET", "//../" + full + "//%2e%2e/%2f?;%", "", ""},
		{"OPTIONS", "*", ";", "\x00"},
		{"GET", "http://user@host:x/" + full, "", ""},
	} {
		f.Add(seed.method, seed.target, seed.contentType, seed.body)
	}
}

func fuzzService(f *testing.F, full, open string) (*Server, *FileStore) {
	f.Helper()
	store, err := Open(filepath.Join(f.TempDir(), "d.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { store.Close() })
	for token, size := range map[string]int{full: 1, open: 3} {
		if err := store.Create(f.Context(), token, size); err != nil {
			f.Fatal(err)
		}
	}
	for _, id := range []string{"1", "2"} {
		if _, _, err := store.Register(f.Context(), full, id, "m"+id, 10); err != nil {
			f.Fatal(err)
		}
	}
	s, err := New(store, Options{PollTimeout: time.Microsecond, MaxSize: 5, MaxEntries: 10, MaxValue: 100})
	if err != nil {
		f.Fatal(err)
	}
	return s, store
}

func founders(t testing.TB, store *FileStore, token string) []Entry {
	t.Helper()
	dir, err := store.Load(t.Context(), token)
	if err != nil || len(dir.Entries) < dir.Size {
		t.Fatalf("founders: %+v %v", dir, err)
	}
	return dir.Entries[:dir.Size]
}

func checkAnswer(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	if !slices.Contains([]int{200, 201, 400, 403, 404, 405, 412, 413}, w.Code) {
		t.Errorf("%s %s: status %d", r.Method, r.URL, w.Code)
	}
	isJSON := w.Header().Get("Content-Type") == "application/json"
	if isJSON && w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
		t.Errorf("%s %s: %q", r.Method, r.URL, w.Body)
	}
	if isJSON && w.Header().Get("X-Etcd-Index") == "" {
		t.Errorf("%s %s: no index", r.Method, r.URL)
	}
}
