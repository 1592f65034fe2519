package etcdapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// patient is a probe timeout that no test waits for.
const patient = 30 * time.Second

// fake is an etcd 2.3 that says what it is told to, on one port for clients
// and peers.
type fake struct {
	url     string
	self    joiner.ID
	cluster joiner.ID

	mu      sync.Mutex // of what follows
	leader  joiner.ID
	members []joiner.Member
	vars    []string // bodies of /debug/vars, the last one for ever
	changes []string
	asked   int // how often it was asked anything
	// deaf refuses changes; sly does them and then fails.
	deaf, sly bool
}

func newFake(t *testing.T, self joiner.ID) *fake {
	f := &fake{self: self, cluster: 0xc1, leader: self}
	server := httptest.NewServer(f.mux())
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fake) mux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}`)
	})
	mux.HandleFunc("GET /v2/stats/self", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"id":%q,"leaderInfo":{"leader":%q}}`, f.self, f.leader)
	})
	mux.HandleFunc("GET /v2/keys/", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"errorCode":100,"message":"Key not found"}`)
	})
	mux.HandleFunc("PUT /v2/keys/_elastic-etcd/lock", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"action":"create","node":{"key":"/_elastic-etcd/lock","value":""}}`)
	})
	mux.HandleFunc("DELETE /v2/keys/_elastic-etcd/lock", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"action":"delete","node":{"key":"/_elastic-etcd/lock"}}`)
	})
	mux.HandleFunc("GET /v2/members", func(w http.ResponseWriter, r *http.Request) { f.list(w) })
	mux.HandleFunc("GET /debug/vars", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, f.nextVars()) })
	mux.HandleFunc("/v2/members/", f.change)
	mux.HandleFunc("POST /v2/members", f.change)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.asked++
		mux.ServeHTTP(w, r)
	})
}

func (f *fake) list(w http.ResponseWriter) {
	w.Header().Set(clusterHeader, f.cluster.String())
	list := []map[string]any{}
	for _, m := range f.members {
		list = append(list, map[string]any{"id": m.ID, "name": m.Name, "peerURLs": m.PeerURLs, "clientURLs": m.ClientURLs})
	}
	json.NewEncoder(w).Encode(map[string]any{"members": list})
}

func (f *fake) nextVars() string {
	if len(f.vars) == 0 {
		return "{}"
	}
	next := f.vars[0]
	if len(f.vars) > 1 {
		f.vars = f.vars[1:]
	}
	return next
}

func (f *fake) change(w http.ResponseWriter, r *http.Request) {
	f.changes = append(f.changes, r.Method+" "+r.URL.Path)
	if !f.deaf {
		f.apply(r)
	}
	if f.deaf || f.sly {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(map[string]int{"POST": http.StatusCreated}[r.Method] | map[string]int{"DELETE": 204, "PUT": 204}[r.Method])
}

func (f *fake) apply(r *http.Request) {
	var body struct{ PeerURLs []string }
	json.NewDecoder(r.Body).Decode(&body)
	id, _ := joiner.ParseID(strings.TrimPrefix(r.URL.Path, "/v2/members/"))
	i := slices.IndexFunc(f.members, func(m joiner.Member) bool { return m.ID == id })
	switch r.Method {
	case http.MethodPost:
		f.members = append(f.members, joiner.Member{ID: 0xadd, PeerURLs: body.PeerURLs})
	case http.MethodDelete:
		f.members = slices.Delete(f.members, i, i+1)
	case http.MethodPut:
		f.members[i].PeerURLs = body.PeerURLs
	}
}

// told is what the fake was asked to change.
func (f *fake) told() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.changes)
}

// vars is a body of /debug/vars of a leader.
func vars(leader joiner.ID, commit uint64, match map[joiner.ID]uint64) string {
	progress := map[string]any{}
	for id, m := range match {
		progress[id.String()] = map[string]any{"match": m}
	}
	body, _ := json.Marshal(map[string]any{"raft.status": map[string]any{
		"id": leader, "lead": leader, "term": 7, "commit": commit, "progress": progress,
	}})
	return string(body)
}

// pair is a leader with a fake of its own and a second member of which only
// the addresses are given.
func pair(t *testing.T, peerURLs, clientURLs []string) *fake {
	f := newFake(t, 1)
	f.members = []joiner.Member{
		{ID: 1, Name: "one", PeerURLs: []string{"http://127.9.9.1:1"}, ClientURLs: []string{f.url}},
		{ID: 2, Name: "two", PeerURLs: peerURLs, ClientURLs: clientURLs},
	}
	f.vars = []string{vars(1, 10, map[joiner.ID]uint64{1: 10, 2: 10})}
	return f
}

func newTestAPI(t *testing.T, timeout time.Duration, endpoints ...string) *API {
	t.Helper()
	a, err := New(Config{Endpoints: endpoints, ClientPort: 1, ProbeTimeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// lookAt wants one cluster with a quorum.
func lookAt(t *testing.T, a *API) (joiner.Cluster, Sight) {
	t.Helper()
	s := a.Look(context.Background(), Where{})
	if len(s.Clusters) != 1 {
		t.Fatalf("%d clusters in %+v", len(s.Clusters), s)
	}
	return s.Clusters[0], s
}
