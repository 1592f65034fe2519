package discovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// keyStore is a discovery service as far as one test needs it: it answers
// GET with what is stored under the path, for its quorum's word only, and
// creates with PUT.
type keyStore struct {
	mu    sync.Mutex
	nodes map[string]string // path to JSON of the whole answer
	asked []string
}

func (s *keyStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.String())
	body, found := s.nodes[r.URL.Path]
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Get("quorum") != "true":
		etcdError(w, http.StatusBadRequest, 209) // it may be behind
	case r.Method == http.MethodGet && r.URL.Query().Get("quorum") != "true":
		etcdError(w, http.StatusBadRequest, 209) // it may be behind
	case r.Method == http.MethodPut && (r.URL.Query().Get("prevExist") != "false" || found):
		etcdError(w, http.StatusPreconditionFailed, 105)
	case r.Method == http.MethodPut:
		s.nodes[r.URL.Path] = value(r.FormValue("value"))
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, s.nodes[r.URL.Path])
	case !found:
		etcdError(w, http.StatusNotFound, 100)
	default:
		fmt.Fprint(w, body)
	}
}

func etcdError(w http.ResponseWriter, status, code int) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errorCode":%d,"message":"the message","cause":"/the/key","index":7}`, code)
}

func value(v string) string { return fmt.Sprintf(`{"action":"get","node":{"key":"/t","value":%q}}`, v) }

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func newV2(t *testing.T, url string) *V2 {
	t.Helper()
	v, err := NewV2(url, Config{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const listing = `{"action":"get","node":{"key":"/reg/t","dir":true,"nodes":[
	{"key":"/reg/t/c3","value":"n3=http://h3:1","createdIndex":30},
	{"key":"/reg/t/_config","dir":true,"createdIndex":1},
	{"key":"/reg/t/a1","value":"n1=http://h1:1","createdIndex":4},
	{"key":"/reg/t/d","dir":true,"createdIndex":25},
	{"key":"/reg/t/b2","value":"garbage","createdIndex":20}]}}`

// TestLook also wants etcd's own spelling of every request, as measured with
// etcd 2.3, 3.4, 3.5 and 3.6: a slash at the end stays on the list alone, and
// a query goes along.
func TestLook(t *testing.T) {
	for suffix, asks := range map[string]string{
		"/reg/t":     "GET /reg/t?",
		"/reg/t/":    "GET /reg/t/?",
		"/reg//t":    "GET /reg/t?",
		"/reg/t?a=b": "GET /reg/t?a=b&",
		"/reg/t#x":   "GET /reg/t?",
	} {
		store := &keyStore{nodes: map[string]string{"/reg/t/_config/size": value("3"), "/reg/t": listing, "/reg/t/": listing}}
		url := serve(t, store) + suffix
		want := joiner.Discovery{Kind: "v2", Token: url, Size: 3, Entries: []joiner.Entry{
			{Key: "a1", Value: "n1=http://h1:1"}, {Key: "b2", Value: "garbage"}, {Key: "d"}, {Key: "c3", Value: "n3=http://h3:1"},
		}}
		if got := newV2(t, url).Look(t.Context()); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", suffix, got, want)
		}
		if len(store.asked) != 2 || !strings.HasPrefix(store.asked[0], "GET /reg/t/_config/size?") || !strings.HasPrefix(store.asked[1], asks) {
			t.Errorf("%s: asked %q", suffix, store.asked)
		}
	}
}

func TestLookMissing(t *testing.T) {
	for name, nodes := range map[string]map[string]string{
		"nothing":        nil,
		"only the size":  {"/t/_config/size": value("3")},
		"only the token": {"/t": listing},
	} {
		d := newV2(t, serve(t, &keyStore{nodes: nodes})+"/t").Look(t.Context())
		if !d.Missing || d.Error != "" || d.Size != 0 || d.Entries != nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestLookFails(t *testing.T) {
	sized := func(answer string) http.Handler {
		return &keyStore{nodes: map[string]string{"/t/_config/size": value("3"), "/t": answer}}
	}
	for name, c := range map[string]struct {
		h    http.Handler
		want string
	}{
		"HTTP 500":          {answer(500, "boom"), `the answer is HTTP 500: "boom"`},
		"HTTP 500 of etcd":  {answer(500, `{"errorCode":300,"message":"Raft Internal Error"}`), `HTTP 500: "{\"errorCode\":300`},
		"HTTP 404":          {answer(404, "<html>no</html>"), `the answer is HTTP 404: "<html>no</html>"`},
		"404 of a gateway":  {answer(404, `{"message":"no such thing"}`), "the answer is HTTP 404"},
		"HTTP 401":          {answer(401, `{"errorCode":110,"message":"no","cause":"you"}`), `refuses with etcd error 110: "no (you)"`},
		"a web page":        {answer(200, "<!DOCTYPE html>"), `the answer is not JSON as etcd writes it: "<!DOCTYPE html>"`},
		"a long page":       {answer(200, strings.Repeat("<p>", 1e5)), `<p><p>`},
		"nothing":           {answer(200, ""), "the answer is empty"},
		"other JSON":        {answer(200, `[1,2]`), "the answer is JSON, but not as etcd writes it"},
		"null":              {answer(200, `null`), "the answer has no node"},
		"no node":           {answer(200, `{"node":null}`), "the answer has no node"},
		"too much":          {answer(200, value(strings.Repeat("x", maxBody))), "more than 16777216 bytes"},
		"a null entry":      {sized(`{"node":{"nodes":[null]}}`), "one of the registrations is null"},
		"too many":          {sized(`{"node":{"nodes":[{"key":"/t/1"}` + strings.Repeat(`,{"key":"/t/1"}`, maxEntries) + `]}}`), "10001 registrations are too many"},
		"list without node": {sized(`{}`), "the answer has no node"},
		"redirect away":     {http.RedirectHandler("http://other.invalid/t", http.StatusFound), `a redirect to "http://other.invalid"`},
		"redirect to a user": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://u:secret@"+r.Host+"/t", http.StatusFound)
		}), "a redirect to"},
		"redirect nowhere":   {answer(302, ""), "HTTP 302 without a valid location"},
		"redirects for ever": {http.RedirectHandler("/t", http.StatusFound), "more than 3 redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, c.h)
			d := newV2(t, url+"/t").Look(t.Context())
			if !strings.HasPrefix(d.Error, url+": ") || !strings.Contains(d.Error, c.want) || d.Missing || d.Size != 0 || d.Entries != nil {
				t.Errorf("got %+v, want an error with %s", d, c.want)
			}
			if len(d.Error) > 500 || strings.ContainsAny(d.Error, "\n\r") || strings.Contains(d.Error, "secret") {
				t.Errorf("not one short line without a password: %q", d.Error)
			}
		})
	}
}

// A size that is none does not mend by waiting. The registrations lead to
// members all the same.
func TestLookInvalid(t *testing.T) {
	for size, says := range map[string]string{
		"many\n": `its size is "many\n", not a number from 1 to 99: make a new token`, strings.Repeat("x", 1e4): `xxx"..., not a number`,
		"": `its size is "", `, "-1": `its size is "-1", `, "0": `its size is "0", `, "100": `its size is "100", `, "4294967296": `its size is "4294967296", `,
	} {
		d := newV2(t, serve(t, &keyStore{nodes: map[string]string{"/t/_config/size": value(size), "/t": listing}})+"/t").Look(t.Context())
		if !strings.Contains(d.Invalid, says) || d.Error != "" || d.Size != 0 || len(d.Entries) != 4 || len(d.Invalid) > 300 {
			t.Errorf("got %+v, want %s", d, says)
		}
		plan := joiner.Decide(joiner.Policy{Name: "n1", PeerURLs: []string{"http://h1:1"}}, joiner.Observation{Disk: joiner.Disk{State: joiner.DiskFresh}, Discovery: d})
		if plan.Reason != joiner.DiscoveryInvalid || plan.Exit != joiner.ExitNeedsHuman || !strings.Contains(plan.Text, d.Invalid) || strings.Contains(plan.Hint, "place") {
			t.Errorf("got %+v", plan)
		}
	}
}

func answer(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

func TestLookRefused(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	if d := newV2(t, s.URL+"/t").Look(t.Context()); d.Error != s.URL+": connection refused" || d.Missing {
		t.Errorf("got %+v", d)
	}
}

func TestLookNoSuchHost(t *testing.T) {
	d := newV2(t, "http://no-such-host.invalid/t").Look(t.Context())
	if !strings.Contains(d.Error, `the host "no-such-host.invalid" cannot be resolved`) {
		t.Errorf("got %+v", d)
	}
}

// TestLookInTime has services that stop before, within and after the header.
// The deadline of the caller stands for our own, which is longer.
func TestLookInTime(t *testing.T) {
	for name, start := range map[string]string{"silent": "", "half an answer": `{"action":`} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				if start != "" {
					fmt.Fprint(w, start)
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			}))
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if d := newV2(t, url+"/t").Look(ctx); !strings.HasSuffix(d.Error, "no complete answer in time") {
				t.Errorf("got %+v", d)
			}
			<-ended // the request does not outlive the call
		})
	}
}

// TestRequestTimeout wants our own bound to cover the answer's body, too.
func TestRequestTimeout(t *testing.T) {
	var left time.Duration
	rt := &transport{roundTrip(func(r *http.Request) (*http.Response, error) {
		end, ok := r.Context().Deadline()
		if left = time.Until(end); !ok {
			t.Error("no deadline")
		}
		return nil, errors.New("seen")
	})}
	req := httptest.NewRequest(http.MethodGet, "http://h/t", nil)
	if _, err := rt.RoundTrip(req); err == nil || left <= 0 || left > requestTimeout {
		t.Errorf("left %s, %v", left, err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRedirectOnTheHost(t *testing.T) {
	store := &keyStore{nodes: map[string]string{"/new/_config/size": value("3"), "/new": listing}}
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, old := strings.CutPrefix(r.URL.Path, "/old"); old {
			http.Redirect(w, r, "/new"+rest+"?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
			return
		}
		store.ServeHTTP(w, r)
	}))
	v := newV2(t, url+"/old")
	if d := v.Look(t.Context()); d.Error != "" || d.Size != 3 || len(d.Entries) != 4 {
		t.Errorf("got %+v", d)
	}
	if err := v.Register(t.Context(), joiner.Entry{Key: "ab", Value: "n=http://h:1"}); err != nil || !strings.Contains(store.nodes["/new/ab"], "n=http://h:1") {
		t.Errorf("%v, stored %q", err, store.nodes["/new/ab"])
	}
}

func TestRegister(t *testing.T) {
	store := &keyStore{nodes: map[string]string{}}
	v := newV2(t, serve(t, store)+"/reg/t/")
	e := joiner.Entry{Key: "ab12", Value: "n1=http://h1:1,n1=http://h2:1&x%"}
	for range 2 { // the second time it is there already
		if err := v.Register(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if got := store.nodes["/reg/t/ab12"]; got != value(e.Value) {
		t.Errorf("stored %q", got)
	}
	err := v.Register(t.Context(), joiner.Entry{Key: "ab12", Value: "n2=http://h1:1"})
	if err == nil || !strings.Contains(err.Error(), `registered already, as "n1=http://h1:1`) {
		t.Errorf("another value: %v", err)
	}
	if got := store.nodes["/reg/t/ab12"]; got != value(e.Value) {
		t.Errorf("overwritten: %q", got)
	}
}

func TestRegisterFails(t *testing.T) {
	for want, h := range map[string]http.Handler{
		"HTTP 500": answer(500, "boom"),
		"etcd error 107": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			etcdError(w, http.StatusForbidden, 107)
		}),
		"not JSON": answer(200, "<html>"),
	} {
		err := newV2(t, serve(t, h)+"/t").Register(t.Context(), joiner.Entry{Key: "ab", Value: "n=http://h:1"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestNewV2Refuses(t *testing.T) {
	for url, want := range map[string]string{
		"":                            "the scheme must be http or https",
		"host/token":                  "the scheme must be http or https",
		"ftp://host/token":            "the scheme must be http or https",
		"http:///token":               "there is no host",
		"http://host":                 "there is no token",
		"http://host/":                "there is no token",
		"http://host/.././":           "there is no token",
		"http://host:port/token":      "cannot be parsed",
		"http://ho\nst/token":         "cannot be parsed",
		"http://u:secret@host/t":      "a user or password in it is not supported",
		"http://u:sec/ret@host/t":     "cannot be parsed",
		"u:secret@host/token":         "the scheme must be http or https",
		"http://u:sec%ret@host/token": "cannot be parsed",
	} {
		_, err := NewV2(url, Config{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "sec") {
			t.Errorf("%q: the error shows the password: %v", url, err)
		}
	}
}

// TestProxyPassword wants a proxy's password to stay out of errors.
func TestProxyPassword(t *testing.T) {
	err := &url.Error{Op: "Get", URL: "http://u:secret@h/", Err: errors.New(`invalid proxy address "http://u:secret@p:1/": bad, ftp://x:secret@y`)}
	if got := reason(err); strings.Contains(got, "secret") || !strings.Contains(got, "@p:1/") {
		t.Errorf("got %s", got)
	}
}

// FuzzLook feeds whatever a service could answer to both reads.
func FuzzLook(f *testing.F) {
	for _, body := range []string{"", "null", "{}", "[]", `{"node":null}`, `{"node":{"nodes":[null]}}`, value("3"), value("x"), listing,
		`{"node":{"value":"2","nodes":[{"key":"","createdIndex":-1}]}}`, `{"node":{"value":"2","nodes":[{"key":"\u0000/"}]}}`,
		`{"errorCode":100}`, `{"errorCode":"x"}`, strings.Repeat(`{"node":`, 2000), "\xff\xfe", "<html>"} {
		for _, status := range []int{200, 201, 302, 404, 500} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		d := canned(t, status, body).Look(t.Context())
		if failed := d.Error != "" || d.Missing; failed != (d.Entries == nil) || failed && d.Size != 0 || len(d.Entries) > maxEntries {
			t.Errorf("got %+v", d)
		}
		if strings.ContainsAny(d.Error, "\n\r\x00") || len(d.Error) > 1200 {
			t.Errorf("not one short line: %q", d.Error)
		}
	})
}

// canned is a service that answers everything the same way.
func canned(t *testing.T, status int, body string) *V2 {
	t.Helper()
	u := &url.URL{Scheme: "http", Host: "h", Path: "/t"}
	v, err := connect(u.String(), u, &transport{roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Location": {"/t"}}, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
