package discovery

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// answering is a service that answers everything alike, and remembers what it
// was asked.
func answering(t *testing.T, code int, body string) (client *http.Client, at *url.URL, asked *string) {
	t.Helper()
	asked = new(string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, _ := io.ReadAll(r.Body)
		*asked = fmt.Sprintf("%s %s %s%s", r.Method, r.URL, r.Header.Get("Authorization"), form)
		w.WriteHeader(code)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return s.Client(), at, asked
}

func TestNewToken(t *testing.T) {
	for _, c := range []struct {
		code int
		body string
		says string // "" = it is made
	}{
		{200, "http://d/token\n", ""},
		{200, "http://d/$(reboot)", "answered no URL"},
		{200, "token", "answered no URL"},
		{401, "a bearer token is needed\n", `401 Unauthorized: "a bearer token is needed"`},
		{404, "404 page not found\n", `404 Not Found: "404 page not found" (is --server the URL of a discovery service?`},
	} {
		client, at, asked := answering(t, c.code, c.body)
		token, err := NewToken(t.Context(), client, at, "secret", 5)
		if want := "GET /new?size=5 Bearer secret"; *asked != want {
			t.Errorf("asked %q, want %q", *asked, want)
		}
		if c.says == "" && (err != nil || token != "http://d/token") || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%q: got %q, %v, want %q", c.body, token, err, c.says)
		}
	}
}

// A token is made where V2 reads it, and only by what answers as an etcd does.
func TestNewV2Token(t *testing.T) {
	for _, c := range []struct {
		code int
		body string
		says string // "" = it is made
	}{
		{201, `{"action":"create"}`, ""},
		{200, `{"action":"set"}`, "200 OK"},
		{404, "404 page not found", "serves no v2 keys"},
	} {
		client, at, asked := answering(t, c.code, c.body)
		token, err := NewV2Token(t.Context(), client, at, 5)
		if !strings.HasPrefix(*asked, "PUT /v2/keys/_etcd/registry/") || !strings.HasSuffix(*asked, "/_config/size?prevExist=false value=5") {
			t.Errorf("asked %q", *asked)
		}
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q: got %q, %v, want %q", c.body, token, err, c.says)
			}
			continue
		}
		if path := strings.TrimPrefix(token, at.String()); err != nil || *asked != "PUT "+path+"/_config/size?prevExist=false value=5" {
			t.Errorf("got %q, %v", token, err)
		}
	}
}

// web is a server that speaks HTTP/2, as gRPC does, and answers all alike.
func web(t *testing.T, code int) (url string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// An etcd that cannot be had for a token is told from one that does not let us
// in, and at once.
func TestNewV3TokenFails(t *testing.T) {
	https, _, _ := tlsServer(t, tls.NoClientCert)
	anybody := &tls.Config{InsecureSkipVerify: true}
	for _, c := range []struct {
		etcd    V3Etcd
		says    string
		refused bool
		down    bool
	}{
		{V3Etcd{Endpoints: []string{"http://127.0.0.1:1"}}, "http://127.0.0.1:1: connection refused", false, true},
		{V3Etcd{Endpoints: []string{"http://127.0.0.1:1"}, User: "u", Password: "hidden"}, "http://127.0.0.1:1: connection refused", false, true},
		{V3Etcd{Endpoints: []string{serve(t, http.NotFoundHandler())}}, ": the port speaks no gRPC, as that of an etcd 2 (are --endpoints the client URLs of an etcd 3?", true, false},
		{V3Etcd{Endpoints: []string{serve(t, http.NotFoundHandler())}, User: "u", Password: "hidden"}, "(are --endpoints the client URLs of an etcd 3?", true, false},
		{V3Etcd{Endpoints: []string{web(t, 200)}, TLS: anybody}, "200 (OK)", true, false},
		{V3Etcd{Endpoints: []string{web(t, 404)}, TLS: anybody}, "404 (Not Found)", true, false},
		{V3Etcd{Endpoints: []string{web(t, 503)}, TLS: anybody}, "503 (Service Unavailable)", false, true},
		{V3Etcd{Endpoints: []string{strings.TrimSuffix(https, "/t")}, TLS: &tls.Config{}}, ": TLS: failed to verify certificate", true, false},
	} {
		start := time.Now()
		_, err := NewV3Token(t.Context(), c.etcd, 3)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("got %v, want %s", err, c.says)
		}
		if refused, down := errors.As(err, new(*joiner.Refusal)), errors.As(err, new(*Unavailable)); refused != c.refused || down != c.down {
			t.Errorf("%v: refused %t, down %t", err, refused, down)
		}
		if took := time.Since(start); took > 2*v3DialTimeout {
			t.Errorf("%v: took %s", err, took)
		}
	}
}
