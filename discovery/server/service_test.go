package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v2"
)

// patience bounds every wait of a test. It is only ever used up by a failure.
const patience = 20 * time.Second

// service is a Server on a file of its own, behind a real listener.
type service struct {
	t     *testing.T
	path  string
	store *FileStore
	srv   *Server
	http  *httptest.Server
}

func startService(t *testing.T, o Options) *service {
	t.Helper()
	s := &service{t: t, path: filepath.Join(t.TempDir(), "discovery.db")}
	s.start(o)
	t.Cleanup(s.stop)
	return s
}

func (s *service) start(o Options) {
	s.t.Helper()
	if o.Report == nil {
		o.Report = func(err error) { s.t.Errorf("internal error: %v", err) }
	}
	var err error
	if s.store, err = Open(s.path); err != nil {
		s.t.Fatal(err)
	}
	if s.srv, err = New(s.store, o); err != nil {
		s.t.Fatal(err)
	}
	s.http = httptest.NewServer(s.srv)
}

func (s *service) stop() {
	s.srv.Close()
	s.http.Close()
	if err := s.store.Close(); err != nil {
		s.t.Errorf("close the store: %v", err)
	}
}

// reply is an answer as a test looks at it.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends one request; form nil means no body.
func (s *service) do(method, path string, form url.Values) reply {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, s.http.URL+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return s.send(r)
}

func (s *service) send(r *http.Request) reply {
	s.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

// newToken returns the path of a new token, "/<token>".
func (s *service) newToken(size string) string {
	s.t.Helper()
	re := s.do("GET", "/new?size="+size, nil)
	if re.status != http.StatusOK {
		s.t.Fatalf("/new: %d %s", re.status, re.body)
	}
	return strings.TrimPrefix(re.body, s.http.URL)
}

// put registers and wants success.
func (s *service) put(path, value string) uint64 {
	s.t.Helper()
	re := s.do("PUT", path+"?prevExist=false", url.Values{"value": {value}})
	if re.status != http.StatusCreated {
		s.t.Fatalf("PUT %s: %d %s", path, re.status, re.body)
	}
	return re.event(s.t).Node.CreatedIndex
}

func (re reply) event(t *testing.T) (e event) {
	t.Helper()
	if err := json.Unmarshal([]byte(re.body), &e); err != nil || e.Node == nil {
		t.Fatalf("not an event: %v: %q", err, re.body)
	}
	return e
}

// errorCode is that of a v2 error body, 0 if it is none.
func (re reply) errorCode() int {
	var e struct{ ErrorCode int }
	_ = json.Unmarshal([]byte(re.body), &e)
	return e.ErrorCode
}

// keys is etcd's own client, as etcd's discovery sets it up.
func (s *service) keys() client.KeysAPI {
	s.t.Helper()
	c, err := client.New(client.Config{Endpoints: []string{s.http.URL}, Transport: client.DefaultTransport})
	if err != nil {
		s.t.Fatal(err)
	}
	return client.NewKeysAPIWithPrefix(c, "")
}
