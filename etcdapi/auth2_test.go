package etcdapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

// locked is an etcd 2.3 with auth on: keys are guests' or not, and the role
// root is shown to root.
func locked(t *testing.T, guests bool) string {
	t.Helper()
	var base string
	mux := http.NewServeMux()
	answer := func(pattern, body string, open func(*http.Request) bool) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(clusterHeader, "c1")
			text := body
			if !open(r) {
				w.WriteHeader(http.StatusUnauthorized)
				text = `{"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials"}`
			} else if strings.Contains(pattern, "/keys/") {
				w.WriteHeader(http.StatusNotFound)
			}
			fmt.Fprint(w, strings.ReplaceAll(text, "BASE", base))
		})
	}
	anybody := func(*http.Request) bool { return true }
	root := func(r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		return user == "root" && password == secret
	}
	answer("GET /version", `{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}`, func(r *http.Request) bool { return r.Header.Get("Authorization") == "" })
	answer("GET /v2/stats/self", `{"id":"1","leaderInfo":{"leader":"1"}}`, anybody)
	answer("GET /v2/members", `{"members":[{"id":"1","name":"one","peerURLs":["http://127.9.9.1:1"],"clientURLs":["BASE"]}]}`, anybody)
	answer("GET /debug/vars", vars(1, 10, map[joiner.ID]uint64{1: 10}), anybody)
	answer("GET /v2/keys/", `{"errorCode":100,"message":"Key not found"}`, func(r *http.Request) bool { return guests || root(r) })
	answer("GET /v2/auth/roles/root", `{"role":"root"}`, root)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	base = server.URL
	return base
}

func TestAuthOfEtcd2(t *testing.T) {
	for _, c := range []struct {
		name   string
		guests bool
		as     Credentials
		proven bool
		bar    joiner.Reason
	}{
		{"root", false, Credentials{User: "root", Password: secret}, true, ""},
		{"root among guests", true, Credentials{User: "root", Password: secret}, true, ""},
		{"a guest", true, Credentials{}, true, joiner.AuthRequired},
		{"a wrong password among guests", true, Credentials{User: "root", Password: "a guess"}, true, joiner.AuthFailed},
		{"no guest", false, Credentials{}, false, joiner.AuthRequired},
		{"a wrong password", false, Credentials{User: "root", Password: "a guess"}, false, joiner.AuthFailed},
	} {
		a, err := New(Config{Endpoints: []string{locked(t, c.guests)}, As: c.as, ClientPort: 1, ProbeTimeout: patient})
		if err != nil {
			t.Fatal(err)
		}
		s := a.Look(t.Context(), Where{})
		a.Close()
		if got := barOf(s); len(s.Clusters) == 1 != c.proven || got != c.bar {
			t.Errorf("%s: %d clusters, %q; want %q: %+v", c.name, len(s.Clusters), got, c.bar, s)
		}
	}
}

// A password that was right is changed in the cluster: the file that it comes
// from may follow, and does.
func TestPasswordRotates(t *testing.T) {
	for _, file := range []bool{true, false} {
		was := inFile(t, secret)
		a, err := New(Config{Endpoints: []string{locked(t, false)}, As: was, ClientPort: 1, ProbeTimeout: patient})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		rotates := func() bool {
			s := a.Look(t.Context(), Where{})
			return slices.ContainsFunc(s.Failures, func(f joiner.Failure) bool { return f.Rotates })
		}
		writeFile(t, was.File, "a guess\n")
		if rotates() {
			t.Error("it was never right, and rotates")
		}
		writeFile(t, was.File, secret+"\n")
		if rotates() || barOf(a.Look(t.Context(), Where{})) != "" {
			t.Error("it is right now, and not taken")
		}
		if writeFile(t, was.File, "a guess\n"); !file {
			a.as = Credentials{User: "root", Password: "a guess"}
		}
		if rotates() != file {
			t.Errorf("from a file %t: rotates %t", file, !file)
		}
	}
}

// barOf is what a look was barred by, at the cluster or before it.
func barOf(s Sight) joiner.Reason {
	for _, c := range s.Clusters {
		if c.Barred != nil {
			return c.Barred.Reason
		}
	}
	for _, f := range s.Failures {
		if f.Bar != "" {
			return f.Bar
		}
	}
	return ""
}
