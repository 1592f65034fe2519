package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/client/v2"
)

func TestRegistrationLooksAsEtcdShowsIt(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("3")
	value := "a\"\\<&>\u00e9 %41+=http://1.2.3.4:2380"
	re := s.do("PUT", token+"/ab12?prevExist=false", url.Values{"value": {value}})
	want := event{Action: "create", Node: &node{
		Key: "/_etcd/registry" + token + "/ab12", Value: &value, ModifiedIndex: 2, CreatedIndex: 2}}
	if got := re.event(t); re.status != 201 || !reflect.DeepEqual(got, want) {
		t.Errorf("PUT: %d %s", re.status, re.body)
	}
	for name, want := range map[string]string{
		"X-Etcd-Index": "2", "X-Raft-Index": "2", "X-Raft-Term": "1", "Content-Type": "application/json"} {
		if got := re.header.Get(name); got != want {
			t.Errorf("PUT: %s = %q, want %q", name, got, want)
		}
	}
	want.Action = "get"
	if got := s.do("GET", token+"/ab12", nil); got.status != 200 || !reflect.DeepEqual(got.event(t), want) {
		t.Errorf("GET: %d %s", got.status, got.body)
	}
}

func TestDirectoryListsMembersOnlyInPlaceOrder(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("3")
	if n := s.do("GET", token, nil).event(t).Node; !n.Dir || n.Nodes != nil || n.Value != nil {
		t.Errorf("empty token: %+v", n)
	}
	s.put(token+"/ff", "c=http://c:1")
	s.put(token+"/1", "a=http://a:1")
	s.put(token+"/b", "b=http://b:1")
	for query, want := range map[string][]string{
		"": {"ff", "1", "b"}, "/": {"ff", "1", "b"}, "?sorted=true&recursive=true&quorum=true": {"1", "b", "ff"}} {
		var got []string
		for _, n := range s.do("GET", token+query, nil).event(t).Node.Nodes {
			got = append(got, n.Key[strings.LastIndex(n.Key, "/")+1:])
		}
		if !slices.Equal(got, want) {
			t.Errorf("GET %s: %v, want %v", query, got, want)
		}
	}
}

func TestPlacesCannotBeChanged(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("1")
	key := token + "/1"
	s.put(key, "a=http://a:1")
	before := s.do("GET", key, nil).body
	for _, c := range []struct {
		query, value string
		status, code int
	}{
		{"?prevExist=false", "a=http://a:1", 412, 105},
		{"?prevExist=false", "b=http://b:1", 412, 105},
		{"", "b=http://b:1", 412, 105},
		{"", "a=http://a:1", 200, 0},
		{"?prevExist=true", "a=http://a:1", 400, 209},
		{"?prevExist=true", "b=http://b:1", 400, 209},
		{"?prevExist=maybe", "b=http://b:1", 400, 209},
		{"?prevExist=", "b=http://b:1", 400, 209},
		{"?prevValue=a=http://a:1", "b=http://b:1", 400, 209},
		{"?prevIndex=2", "b=http://b:1", 400, 209},
		{"?ttl=1", "b=http://b:1", 400, 209},
		{"?refresh=true", "", 400, 209},
		{"?dir=true", "", 400, 209},
		{"", "", 400, 200},
	} {
		re := s.do("PUT", key+c.query, url.Values{"value": {c.value}})
		if re.status != c.status || re.errorCode() != c.code {
			t.Errorf("PUT %s value %q: %d %s", c.query, c.value, re.status, re.body)
		}
	}
	for _, query := range []string{"", "?recursive=true", "?dir=true"} {
		if re := s.do("DELETE", key+query, nil); re.status != 403 || re.errorCode() != 107 {
			t.Errorf("DELETE %s: %d %s", query, re.status, re.body)
		}
	}
	if after := s.do("GET", key, nil).body; after != before {
		t.Errorf("changed: %s, was %s", after, before)
	}
}

func TestOnlyEntriesBehindTheFoundersCanGo(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("2")
	s.put(token+"/1", "a=http://a:1")
	if re := s.do("DELETE", token+"/1", nil); re.status != 403 {
		t.Errorf("a founder before the token is full: %d %s", re.status, re.body)
	}
	s.put(token+"/2", "b=http://b:1")
	late := s.put(token+"/3", "c=http://c:1")
	if re := s.do("DELETE", token+"/3?prevIndex=4", nil); re.status != 400 || re.errorCode() != 209 {
		t.Errorf("conditional: %d %s", re.status, re.body)
	}
	re := s.do("DELETE", token+"/3", nil)
	e := re.event(t)
	if re.status != 200 || e.Action != "delete" || e.Node.ModifiedIndex != late+1 || *e.PrevNode.Value != "c=http://c:1" {
		t.Errorf("late: %d %s", re.status, re.body)
	}
	if re := s.do("DELETE", token+"/3", nil); re.status != 404 || re.errorCode() != 100 {
		t.Errorf("again: %d %s", re.status, re.body)
	}
	if again := s.put(token+"/3", "c=http://c:1"); again != late+2 {
		t.Errorf("back at index %d, want a new place %d", again, late+2)
	}
	if re := s.do("DELETE", token+"/2", nil); re.status != 403 {
		t.Errorf("a founder: %d %s", re.status, re.body)
	}
}

func TestUnknownPathsAndTricksAreRefused(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("3")
	s.put(token+"/1", "a=http://a:1")
	for _, path := range []string{
		"/", "//", "/news", "/new/", "/health/", "/_etcd", "/_etcd/registry/", "/_etcd/registry" + token, "/v2/keys" + token,
		"/" + token, token + "//", token + "//1", token + "/1/", token + "/./1", token + "/../" + token[1:] + "/1", "/.." + token, "/x/.." + token,
		token + "%2f1", token + "/%31", "/%6eew", token + "/_config", token + "/_config/", token + "/_config/size/", token + "/_config%2fsize",
		token + "/01", token + "/00", token + "/A", token + "/0x1", token + "/11111111111111111", token + "/g", token + "/_size", token + "/_created", token + "/%00",
		"/x" + token[2:], token[:32], token + "0", token[:32] + "/1", token + "0/1",
	} {
		if re := s.do("PUT", path, url.Values{"value": {"b=http://b:1"}}); re.status != 404 || re.errorCode() != 100 {
			t.Errorf("PUT %s: %d %s", path, re.status, re.body)
		}
		re := s.do("GET", path, nil)
		if re.status != 404 || re.errorCode() != 100 || strings.Contains(re.body, "http://a") {
			t.Errorf("GET %s: %d %s", path, re.status, re.body)
		}
	}
	if nodes := s.do("GET", token, nil).event(t).Node.Nodes; len(nodes) != 1 {
		t.Errorf("registered: %+v", nodes)
	}
}

func TestUnknownTokens(t *testing.T) {
	s := startService(t, Options{})
	unknown := "/" + strings.Repeat("a", 32)
	for _, path := range []string{"", "/", "/1", "/_config/size", "?wait=true", "/1?wait=true"} {
		if re := s.do("GET", unknown+path, nil); re.status != 404 || re.errorCode() != 100 {
			t.Errorf("GET %s: %d %s", path, re.status, re.body)
		}
	}
	if re := s.do("PUT", unknown+"/1", url.Values{"value": {"a=http://a:1"}}); re.status != 404 || re.errorCode() != 100 {
		t.Errorf("PUT under an unknown token: %d %s", re.status, re.body)
	}
	if re := s.do("DELETE", unknown+"/1", nil); re.status != 404 {
		t.Errorf("DELETE under an unknown token: %d %s", re.status, re.body)
	}
}

func TestUnknownMethods(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("3")
	for path, allow := range map[string]string{
		"/new": "GET, PUT, POST", "/health": "GET, HEAD", token: "GET, HEAD", token + "/_config/size": "GET, HEAD",
		token + "/1": "GET, HEAD, PUT, DELETE",
	} {
		for _, method := range []string{"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get"} {
			re := s.do(method, path, url.Values{})
			if slices.Contains(strings.Split(allow, ", "), method) == (re.status == 405) {
				t.Errorf("%s %s: %d", method, path, re.status)
			}
			if re.status == 405 && re.header.Get("Allow") != allow {
				t.Errorf("%s %s: Allow %q", method, path, re.header.Get("Allow"))
			}
		}
	}
}

func TestBodiesValuesAndEntriesAreBounded(t *testing.T) {
	s := startService(t, Options{MaxValue: 100, MaxSize: 2, MaxEntries: 3})
	token := s.newToken("2")
	put := func(member, value string) reply {
		return s.do("PUT", token+"/"+member, url.Values{"value": {value}})
	}
	for value, status := range map[string]int{
		strings.Repeat("%", 89) + "=http://h:1": 201, // three bytes each on the wire
		strings.Repeat("x", 101):                413,
		strings.Repeat("x", 1e6):                413,
		"\xff":                                  400,
		"a=http://\xc3(\u2028:1/":               400,
	} {
		if re := put("1", value); re.status != status {
			t.Errorf("value of %d bytes: %d %s", len(value), re.status, re.body)
		}
	}
	if re := s.do("PUT", token+"/2", url.Values{"value": {"b"}, "x": {strings.Repeat("x", 2000)}}); re.status != 413 || re.errorCode() != 210 {
		t.Errorf("long body: %d %s", re.status, re.body)
	}
	put("2", "b=http://b:1")
	if re := put("3", "c=http://c:1"); re.status != 201 {
		t.Errorf("last entry: %d %s", re.status, re.body)
	}
	if re := put("4", "d=http://d:1"); re.status != 403 || re.errorCode() != 103 {
		t.Errorf("one too many: %d %s", re.status, re.body)
	}
	if re := put("3", "c=http://c:1"); re.status != 200 {
		t.Errorf("repeated at the limit: %d %s", re.status, re.body)
	}
	if re := s.do("GET", "/new?size=3", nil); re.status != 400 {
		t.Errorf("size above the limit: %d %s", re.status, re.body)
	}
	if re := s.do("GET", "/new", nil); sizeOf(s, strings.TrimPrefix(re.body, s.http.URL)) != "2" {
		t.Errorf("default above the limit: %d %s", re.status, re.body)
	}
}

func TestHealth(t *testing.T) {
	s := startService(t, Options{})
	if re := s.do("GET", "/health", nil); re.status != 200 || re.body != "OK" {
		t.Errorf("%d %q", re.status, re.body)
	}
}

// A store that fails is the service's fault: 5xx, so that an etcd tries again,
// and the detail goes to Report instead of the client.
func TestAFailingStoreIsReported(t *testing.T) {
	var reported []string
	s := startService(t, Options{Report: func(err error) { reported = append(reported, err.Error()) }})
	token := s.newToken("3")
	s.store.Close()
	requests := []struct{ method, path string }{
		{"GET", "/new"}, {"GET", token}, {"GET", token + "?wait=true"}, {"PUT", token + "/1?value=a=http://a:1"}, {"DELETE", token + "/1"}}
	for _, r := range requests {
		if re := s.do(r.method, r.path, nil); re.status != 500 || re.errorCode() != 300 || strings.Contains(re.body, "open") {
			t.Errorf("%s %s: %d %s", r.method, r.path, re.status, re.body)
		}
	}
	if re := s.do("GET", "/health", nil); re.status != 503 {
		t.Errorf("/health: %d %s", re.status, re.body)
	}
	if len(reported) != len(requests)+1 || !strings.Contains(reported[0], "database not open") {
		t.Errorf("reported: %q", reported)
	}
}

// The steps of etcd's own discovery, with etcd's own client.
func TestEtcdsClientFoundsACluster(t *testing.T) {
	s := startService(t, Options{})
	keys, ctx := s.keys(), t.Context()
	token := s.newToken("3")
	size, err := keys.Get(ctx, token+"/_config/size", nil)
	if err != nil || size.Node.Value != "3" {
		t.Fatalf("size: %v %v", size, err)
	}
	list, err := keys.Get(ctx, token, nil)
	if err != nil || len(list.Node.Nodes) != 0 || list.Index == 0 {
		t.Fatalf("list: %+v %v", list, err)
	}
	watcher := keys.Watcher(token, &client.WatcherOptions{AfterIndex: list.Index, Recursive: true})
	for i := range 3 {
		key, value := fmt.Sprintf("%s/%x", token, 0xf0-i), fmt.Sprintf("m%d=http://127.0.0.%d:2380", i, i)
		made, err := keys.Create(ctx, key, value)
		if err != nil {
			t.Fatal(err)
		}
		// etcd watches its own key from just before its creation on.
		self := keys.Watcher(key, &client.WatcherOptions{AfterIndex: made.Node.CreatedIndex - 1})
		for _, w := range []client.Watcher{self, watcher} {
			if e := nextEvent(t, w); e.Action != "create" || e.Node.Value != value || e.Node.CreatedIndex != made.Index {
				t.Errorf("watch %s: %+v %v", key, e, e.Node)
			}
		}
		_, err = keys.Create(ctx, key, value)
		var refused client.Error
		if !errors.As(err, &refused) || refused.Code != client.ErrorCodeNodeExist || refused.Index != made.Index {
			t.Errorf("create again: %#v", err)
		}
	}
	if _, err := keys.Get(ctx, "/"+strings.Repeat("b", 32), nil); !client.IsKeyNotFound(err) {
		t.Errorf("unknown token: %v", err)
	}
}

func nextEvent(t *testing.T, w client.Watcher) *client.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	e, err := w.Next(ctx)
	if err != nil {
		t.Fatalf("watch: %v", err)
	}
	return e
}
