package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// publicService stands in for the present code of discovery.etcd.io
// (etcd-io/discoveryserver), whose quirks no etcd has: every success is a 200,
// every failure a 400 in words; a PUT always overwrites, and makes its entry
// the youngest; a poll ends after a minute with an empty 200.
type publicService struct {
	mu      sync.Mutex
	tokens  map[string]*publicToken
	index   int
	changed chan struct{}
}

type publicToken struct {
	size    string
	entries []publicNode
}

type publicNode struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	Created int    `json:"createdIndex"`
}

// startPublic serves it with one token, and gives that.
func startPublic(t *testing.T, lab *cluster.Lab, size int) (tokenURL string) {
	t.Helper()
	l, err := net.Listen("tcp", lab.Addr()+":0")
	if err != nil {
		t.Fatal(err)
	}
	p := &publicService{changed: make(chan struct{}), tokens: map[string]*publicToken{"0123456789abcdef0123456789abcdef": {size: fmt.Sprint(size)}}}
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request, *publicToken){
		"GET /{token}": p.list, "GET /{token}/{$}": p.list, "GET /{token}/_config/size": p.size,
		"GET /{token}/{machine}": p.get, "PUT /{token}/{machine}": p.put, "DELETE /{token}/{machine}": p.remove,
	} {
		mux.HandleFunc(pattern, p.locked(h))
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: mux}}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL + "/0123456789abcdef0123456789abcdef"
}

func (p *publicService) locked(h func(http.ResponseWriter, *http.Request, *publicToken)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		token := p.tokens[r.PathValue("token")]
		if token == nil {
			http.Error(w, "unable to GET token", http.StatusBadRequest)
			return
		}
		w.Header().Set("X-Etcd-Index", fmt.Sprint(p.index))
		h(w, r, token)
	}
}

func (p *publicService) size(w http.ResponseWriter, r *http.Request, t *publicToken) {
	answer(w, map[string]any{"key": publicKey(r) + "/_config/size", "value": t.size})
}

func (p *publicService) list(w http.ResponseWriter, r *http.Request, t *publicToken) {
	if r.FormValue("wait") == "true" {
		p.wait(w, r, t)
		return
	}
	answer(w, map[string]any{"key": publicKey(r), "dir": true, "nodes": t.entries})
}

// wait answers with the first change from an index on.
func (p *publicService) wait(w http.ResponseWriter, r *http.Request, t *publicToken) {
	from, _ := strconv.Atoi(r.FormValue("waitIndex"))
	for end := time.After(time.Minute); ; {
		if i := slices.IndexFunc(t.entries, func(n publicNode) bool { return n.Created >= from }); i >= 0 {
			answer(w, t.entries[i])
			return
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
			p.mu.Lock()
		case <-end:
			p.mu.Lock()
			return // an empty 200
		case <-r.Context().Done():
			p.mu.Lock()
			return
		}
	}
}

func (p *publicService) get(w http.ResponseWriter, r *http.Request, t *publicToken) {
	i := t.find(r)
	if i < 0 {
		http.Error(w, "unable to GET token", http.StatusBadRequest)
		return
	}
	answer(w, t.entries[i])
}

func (p *publicService) put(w http.ResponseWriter, r *http.Request, t *publicToken) {
	p.index++
	close(p.changed)
	p.changed = make(chan struct{})
	t.drop(r)
	t.entries = append(t.entries, publicNode{publicKey(r) + "/" + r.PathValue("machine"), r.FormValue("value"), p.index})
	answer(w, t.entries[len(t.entries)-1])
}

func (p *publicService) remove(w http.ResponseWriter, r *http.Request, t *publicToken) {
	t.drop(r)
	answer(w, publicNode{Key: publicKey(r)})
}

func (t *publicToken) find(r *http.Request) int {
	return slices.IndexFunc(t.entries, func(n publicNode) bool { return strings.HasSuffix(n.Key, "/"+r.PathValue("machine")) })
}

func (t *publicToken) drop(r *http.Request) {
	t.entries = slices.DeleteFunc(t.entries, func(n publicNode) bool { return strings.HasSuffix(n.Key, "/"+r.PathValue("machine")) })
}

func publicKey(r *http.Request) string { return "/_etcd/registry/" + r.PathValue("token") }

func answer(w http.ResponseWriter, node any) {
	_ = json.NewEncoder(w).Encode(map[string]any{"action": "get", "node": node})
}

// TestSourcesPublic: what the public service's present code answers is enough
// to found by, for plain etcd among our hosts too, and to join by; who comes
// again and registers nothing takes nobody's place.
func TestSourcesPublic(t *testing.T) {
	t.Parallel()
	for _, version := range discoveryVersions() {
		t.Run(version, func(t *testing.T) {
			s := newSourced(t)
			token := startPublic(t, s.lab, 3)
			s.source = []string{"-discovery=" + token}
			hosts := s.lab.Hosts(4, version)
			s.wantWait(s.ask(hosts[0]), "founders-missing")
			runs := []*cluster.Running{s.ask(hosts[0]), s.ask(hosts[1])}
			s.lab.WaitFor("two to be registered", logged(runs[1], "2 of 3 founders registered"))
			startDiscovering(hosts[2], token) // plain etcd
			for i, run := range runs {
				r := run.Wait()
				s.want(r, 0, founding)
				hosts[i].StartWith(r.Stdout)
			}
			s.lab.WaitHealthy(3, hosts[:3]...)
			s.want(s.ask(hosts[3]).Wait(), 75, "full")

			hosts[2].Kill()
			s.bring("join-listed", hosts[3])
			s.lab.WaitHealthy(3, hosts[0], hosts[1], hosts[3])
			s.unknownToken(token, version)
		})
	}
}

// unknownToken: the service says of a token that it does not know no more than
// that it cannot read it.
func (s *sourced) unknownToken(token, version string) {
	s.Helper()
	u, err := url.Parse(token)
	if err != nil {
		s.Fatal(err)
	}
	s.source = []string{"-discovery=http://" + u.Host + "/ffffffffffffffffffffffffffffffff"}
	r := s.wantWait(s.ask(s.lab.Host(version)), "discovery-unreachable")
	if !strings.Contains(r.Stderr, "unable to GET token") {
		s.Errorf("it does not say what the service said: %s", r)
	}
}
