package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/discovery/server"
	"github.com/sttts/elastic-etcd/discovery/server/etcdstore"
	"github.com/sttts/elastic-etcd/discovery/server/storetest"
	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestDiscoveryServiceOneName: of two plain etcds that register one name at
// the same instant, one ends, and the token still founds a cluster.
func TestDiscoveryServiceOneName(t *testing.T) {
	t.Parallel()
	for _, version := range discoveryVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			url := lab.StartDiscovery().NewToken(2)
			hosts := lab.Hosts(3, version)
			hosts[1].Name = hosts[0].Name
			startDiscovering(hosts[0], url)
			startDiscovering(hosts[1], url)
			lost := waitEnded(lab, hosts[:2])
			if !strings.Contains(lost.Log(), "registered") && !strings.Contains(lost.Log(), "duplicate") {
				t.Errorf("%s does not say why it ended", lost.Name)
			}
			startDiscovering(hosts[2], url)
			lab.WaitHealthy(2, without(hosts, lost)...)
		})
	}
}

// waitEnded waits for the one host whose etcd ends by itself.
func waitEnded(lab *cluster.Lab, hosts []*cluster.Host) (ended *cluster.Host) {
	lab.WaitFor("one of the etcds to end", func(context.Context) error {
		for _, h := range hosts {
			if !h.Running() {
				ended = h
				return nil
			}
		}
		return errors.New("all run")
	})
	return ended
}

// TestDiscoveryServiceOneNameElastic: elastic-etcd says whose fault it is.
func TestDiscoveryServiceOneNameElastic(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(2, "3.6")
	var runs []*cluster.Running
	for _, h := range hosts {
		runs = append(runs, s.start(h, "-name=same"))
	}
	refused := s.firstToEnd(runs)
	s.wantWait(runs[1-refused], "founders-missing")
	s.want(runs[refused].Wait(), 78, "name-in-use")
	s.waitRegistered(1)
}

// TestDiscoveryServiceStore holds the store in an etcd cluster to what the file
// is held to.
func TestDiscoveryServiceStore(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			at := lab.Host(version)
			lab.Found(at)
			var stores []server.Store
			for range 2 {
				store, err := etcdstore.Open(etcdstore.Config{Endpoints: []string{at.ClientURL()}})
				if err != nil {
					t.Fatal(err)
				}
				defer store.Close()
				stores = append(stores, store)
			}
			storetest.Run(t, stores...)
		})
	}
}

// instances are services that share an etcd cluster, behind one address.
type instances struct {
	*testing.T
	lab   *cluster.Lab
	etcds []*cluster.Host
	addrs []string
	runs  []*cluster.Running
}

func newInstances(t *testing.T, n int) *instances {
	t.Helper()
	lab := cluster.New(t)
	s := &instances{T: t, lab: lab, etcds: lab.Hosts(3, "3.6"), runs: make([]*cluster.Running, n)}
	lab.Found(s.etcds...)
	for i := range n {
		s.addrs = append(s.addrs, lab.Addr()+":8087")
		s.start(i)
	}
	return s
}

func (s *instances) start(i int) {
	s.Helper()
	var endpoints []string
	for _, h := range s.etcds {
		endpoints = append(endpoints, h.ClientURL())
	}
	s.runs[i] = s.lab.ElasticStart(cluster.Command{Timeout: time.Hour, Args: []string{"discovery", "serve", "--listen", s.addrs[i],
		"--endpoints", strings.Join(endpoints, ",")}})
	s.lab.WaitFor("the service to serve", func(ctx context.Context) error {
		_, err := ask(ctx, http.MethodGet, "http://"+s.addrs[i]+"/health", nil)
		return err
	})
}

func (s *instances) kill(i int) {
	s.Helper()
	if err := s.runs[i].TryKill(); err != nil {
		s.Fatal(err)
	}
}

// newToken makes one at an instance, and gives its path.
func (s *instances) newToken(size int) string {
	s.Helper()
	made, err := ask(s.Context(), http.MethodGet, fmt.Sprintf("http://%s/new?size=%d", s.addrs[0], size), nil)
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimPrefix(made, "http://"+s.addrs[0])
}

// balance is a load balancer of the plainest kind: connections in turn to
// whoever takes them.
func (s *instances) balance() (addr string) {
	s.Helper()
	l, err := net.Listen("tcp", s.lab.Addr()+":8087")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { l.Close() })
	go func() {
		for i := 0; ; i++ {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go s.pass(from, i)
		}
	}()
	return l.Addr().String()
}

func (s *instances) pass(from net.Conn, i int) {
	defer from.Close()
	for range s.addrs {
		to, err := net.Dial("tcp", s.addrs[i%len(s.addrs)])
		if err != nil {
			i++
			continue
		}
		defer to.Close()
		go func() {
			_, _ = io.Copy(to, from)
			to.Close()
		}()
		_, _ = io.Copy(from, to)
		return
	}
}

// ask makes one request and wants a 200 or 201.
func ask(ctx context.Context, method, url string, form url.Values) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		err = fmt.Errorf("%s %s: %s: %s", method, url, res.Status, body)
	}
	return string(body), err
}

// TestDiscoveryServiceInstances: founders, plain etcd and elastic-etcd, find
// one another through two instances, of which one and the leader of the etcd
// behind them die while the founders wait.
func TestDiscoveryServiceInstances(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.5"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := newInstances(t, 2)
			token := "http://" + s.balance() + s.newToken(3)
			site := &site{T: t, lab: s.lab, token: token, told: map[*cluster.Host]string{}}
			hosts := s.lab.Hosts(3, version)
			startDiscovering(hosts[0], token)
			elastic := site.start(hosts[1])
			waitRegistered(s.lab, token, 2)
			s.kill(0)
			s.lab.WaitLeader(s.etcds...).Kill()
			startDiscovering(hosts[2], token)
			r := elastic.Wait()
			site.want(r, 0, founding)
			hosts[1].StartWith(r.Stdout)
			s.lab.WaitHealthy(3, hosts...)
		})
	}
}

// acknowledged is what a service said it keeps: the answer by its key.
type acknowledged struct {
	mu   sync.Mutex
	keys map[string]uint64 // to the createdIndex
	lost int               // requests without an answer
}

// registerAll registers members under tokens until the context ends, in turn
// at each address.
func (a *acknowledged) registerAll(ctx context.Context, addrs, tokens []string, worker int) {
	for i := 0; ctx.Err() == nil; i++ {
		id := fmt.Sprintf("%x", worker<<32|i)
		key := tokens[i%len(tokens)] + "/" + id
		form := url.Values{"value": {"m" + id + "=http://h" + id + ":2380"}}
		body, err := ask(ctx, http.MethodPut, "http://"+addrs[i%len(addrs)]+key+"?prevExist=false", form)
		var answer struct{ Node struct{ CreatedIndex uint64 } }
		if err == nil {
			err = json.Unmarshal([]byte(body), &answer)
		}
		a.add(key, answer.Node.CreatedIndex, err)
	}
}

func (a *acknowledged) add(key string, index uint64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.lost++
		return
	}
	a.keys[key] = index
}

func (a *acknowledged) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.keys)
}

// waitMore waits until so many more were acknowledged.
func (a *acknowledged) waitMore(lab *cluster.Lab, more int) {
	want := a.count() + more
	lab.WaitFor(fmt.Sprintf("%d acknowledged registrations", want), func(context.Context) error {
		if n := a.count(); n < want {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
}

// check wants everything that was acknowledged to be there, once and where it
// was said to be.
func (a *acknowledged) check(t *testing.T, addr string, tokens []string) {
	t.Helper()
	found := map[string]uint64{}
	for _, token := range tokens {
		body, err := ask(t.Context(), http.MethodGet, "http://"+addr+token, nil)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Node struct {
				Nodes []struct {
					Key          string
					CreatedIndex uint64
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		for _, n := range answer.Node.Nodes {
			found[strings.TrimPrefix(n.Key, "/_etcd/registry")] = n.CreatedIndex
		}
	}
	for key, index := range a.keys {
		if found[key] != index {
			t.Errorf("%s was acknowledged with index %d, now it has %d", key, index, found[key])
		}
	}
	t.Logf("%d acknowledged, %d without an answer, %d kept", len(a.keys), a.lost, len(found))
}

// TestDiscoveryServiceInstancesKilled ends an instance, and the leader of the
// etcd behind them, without warning in the middle of registrations.
func TestDiscoveryServiceInstancesKilled(t *testing.T) {
	t.Parallel()
	s := newInstances(t, 2)
	var tokens []string
	for range 20 {
		tokens = append(tokens, s.newToken(3))
	}
	a := &acknowledged{keys: map[string]uint64{}}
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for i := range 8 {
		workers.Go(func() { a.registerAll(ctx, s.addrs, tokens, i+1) })
	}
	for range 2 {
		a.waitMore(s.lab, 200)
		s.kill(0)
		a.waitMore(s.lab, 200)
		leader := s.lab.WaitLeader(s.etcds...)
		leader.Kill()
		s.start(0)
		a.waitMore(s.lab, 200)
		leader.Resume()
		s.lab.WaitHealthy(3, s.etcds...)
	}
	cancel()
	workers.Wait()
	for _, addr := range s.addrs {
		a.check(t, addr, tokens)
	}
}

// TestDiscoveryServiceKilled ends the service that keeps a file, without
// warning in the middle of registrations.
func TestDiscoveryServiceKilled(t *testing.T) {
	t.Parallel()
	lab := cluster.New(t)
	service := lab.StartDiscovery()
	addrs := []string{strings.TrimPrefix(service.URL, "http://")}
	var tokens []string
	for range 20 {
		tokens = append(tokens, strings.TrimPrefix(service.NewToken(3), service.URL))
	}
	a := &acknowledged{keys: map[string]uint64{}}
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for i := range 8 {
		workers.Go(func() { a.registerAll(ctx, addrs, tokens, i+1) })
	}
	for range 5 {
		a.waitMore(lab, 300)
		if err := service.TryKill(); err != nil {
			t.Fatal(err)
		}
		service.Start()
	}
	cancel()
	workers.Wait()
	a.check(t, addrs[0], tokens)
}

// verbs is a cluster of three that was founded under a token that "discovery
// new" made, in whatever keeps tokens.
type verbs struct {
	*sourced
	token []string                 // what show and gc are told
	put   func(key, value string)  // registers, as somebody who knows the token
	keys  func() map[string]string // what is registered
	hosts []*cluster.Host
}

func (v *verbs) discovery(args ...string) cluster.Result {
	v.Helper()
	return v.lab.Elastic(append([]string{"discovery"}, args...)...)
}

func (v *verbs) made(args ...string) string {
	v.Helper()
	r := v.discovery(append([]string{"new", "--size=3"}, args...)...)
	if r.Code != 0 || strings.Count(r.Stdout, "\n") != 1 {
		v.Fatalf("discovery new %q: %s", args, r)
	}
	return strings.TrimSpace(r.Stdout)
}

// byURL uses a token that is a URL.
func (v *verbs) byURL(token string) {
	v.source, v.token = []string{"-discovery=" + token}, []string{token}
	v.put = func(key, value string) {
		v.Helper()
		if _, err := ask(v.Context(), http.MethodPut, token+"/"+key+"?prevExist=false", url.Values{"value": {value}}); err != nil {
			v.Fatal(err)
		}
	}
	v.keys = func() map[string]string {
		v.Helper()
		body, err := ask(v.Context(), http.MethodGet, token, nil)
		var answer struct {
			Node struct{ Nodes []struct{ Key, Value string } }
		}
		if err := errors.Join(err, json.Unmarshal([]byte(body), &answer)); err != nil {
			v.Fatal(err)
		}
		found := map[string]string{}
		for _, n := range answer.Node.Nodes {
			found[path.Base(n.Key)] = n.Value
		}
		return found
	}
}

// byWord uses a token of etcd's own v3 discovery.
func (v *verbs) byWord(token string, at *cluster.Host) {
	v.token = []string{"-discovery-token=" + token, "-discovery-endpoints=" + at.ClientURL()}
	v.source = v.token
	prefix := "/_etcd/registry/" + token + "/members/"
	v.put = func(key, value string) { at.Put(prefix+key, value) }
	v.keys = func() map[string]string {
		v.Helper()
		resp, err := at.Client().Get(v.Context(), prefix, clientv3.WithPrefix())
		if err != nil {
			v.Fatal(err)
		}
		found := map[string]string{}
		for _, kv := range resp.Kvs {
			found[path.Base(string(kv.Key))] = string(kv.Value)
		}
		return found
	}
}

// TestDiscoveryVerbs makes a token, founds with it, and shows and collects what
// is registered, on our service, in an etcd 2.3 and in an etcd 3.7.
func TestDiscoveryVerbs(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*verbs){
		"service": func(v *verbs) { v.byURL(v.made("--server", v.lab.StartDiscovery().URL)) },
		"v2": func(v *verbs) {
			at := v.lab.Host("2.3")
			v.lab.Found(at)
			v.byURL(v.made("--v2", "--server", at.ClientURL()))
		},
		"v3": func(v *verbs) {
			at := v.lab.Host("3.7")
			v.lab.Found(at)
			v.byWord(v.made("--endpoints", at.ClientURL()), at)
			if r := v.discovery("new", "--v2", "--server", at.ClientURL()); r.Code != 78 || !strings.Contains(r.Stderr, "serves no v2 keys") {
				t.Errorf("v2 keys of a 3.7: %s", r)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := &verbs{sourced: newSourced(t)}
			prepare(v)
			v.hosts = v.lab.Hosts(3, "3.6")
			v.checkBefore()
			v.all(founding, v.hosts...)
			v.lab.WaitHealthy(3, v.hosts...)
			v.checkShow()
			v.checkGC()
			v.checkLocked()
		})
	}
}

// checkBefore: a token without members shows nothing, and nothing is deleted
// of one without a cluster.
func (v *verbs) checkBefore() {
	v.Helper()
	r := v.discovery(append([]string{"show"}, v.token...)...)
	if r.Code != 0 || !strings.Contains(r.Stdout, "0 registered, size 3\nnobody tells") {
		v.Errorf("show: %s", r)
	}
}

// shown is what "show -o json" prints, as much as is looked at.
type shown struct {
	Complete bool
	Cluster  *string
	Entries  []struct {
		Key, Name, State string
		Founder          bool
		Member           *string
	}
}

func (v *verbs) show() (s shown) {
	v.Helper()
	r := v.discovery(append([]string{"show", "-o", "json"}, v.token...)...)
	if err := json.Unmarshal([]byte(r.Stdout), &s); r.Code != 0 || err != nil {
		v.Fatalf("show -o json: %v, %s", err, r)
	}
	return s
}

func (v *verbs) checkShow() {
	v.Helper()
	v.put("abc", "late=http://127.99.99.99:2380")
	s := v.show()
	if !s.Complete || s.Cluster == nil || *s.Cluster != fmt.Sprintf("%x", v.hosts[0].ClusterID()) || len(s.Entries) != 4 {
		v.Fatalf("shown: %+v", s)
	}
	for i, e := range s.Entries {
		if founder := i < 3; e.Founder != founder || (e.State == "member") != founder || (e.Member != nil) != founder {
			v.Errorf("entry %d: %+v", i, e)
		}
	}
	text := v.discovery(append([]string{"show"}, v.token...)...)
	for _, want := range []string{"4 registered, size 3", "founder 3 ", `"late"`, "no member", "member " + s.Entries[0].Key} {
		if !strings.Contains(text.Stdout, want) {
			v.Errorf("show has no %q: %s", want, text)
		}
	}
}

// checkGC: a founder that was removed keeps its place; what is behind the
// founders goes, but not while the cluster has no quorum.
func (v *verbs) checkGC() {
	v.Helper()
	gc := func(code int, stdout string, args ...string) {
		v.Helper()
		if r := v.discovery(append(append([]string{"gc"}, args...), v.token...)...); r.Code != code || r.Stdout != stdout {
			v.Errorf("gc %q: want %d and %q, got %s", args, code, stdout, r)
		}
	}
	before := v.keys()
	lost, _ := v.hosts[0].Membership().Of(v.hosts[2])
	v.hosts[2].Kill()
	v.hosts[0].Remove(lost.ID)
	v.hosts[1].Freeze()
	gc(75, "")
	v.hosts[1].Thaw()
	v.lab.WaitHealthy(2, v.hosts[:2]...)
	gc(0, "late=http://127.99.99.99:2380\n", "--dry-run")
	if after := v.keys(); !maps.Equal(before, after) {
		v.Errorf("registered: %v, was %v", after, before)
	}
	gc(0, "late=http://127.99.99.99:2380\n")
	gc(0, "")
	delete(before, "abc")
	if after := v.keys(); !maps.Equal(before, after) || len(after) != 3 {
		v.Errorf("registered: %v, want %v", after, before)
	}
	if s := v.show(); s.Entries[0].State == s.Entries[1].State && s.Entries[1].State == s.Entries[2].State {
		v.Errorf("shown: %+v", s)
	}
}

// TestGCDirectory: a directory among the registrations is left, and a dry run
// says so as the real one does.
func TestGCDirectory(t *testing.T) {
	v := &verbs{sourced: newSourced(t)}
	registry, h := v.lab.Host("2.3"), v.lab.Host("3.6")
	v.lab.Found(registry)
	v.byURL(v.made("--v2", "--server", registry.ClientURL(), "--size=1"))
	v.bring("found", h)
	v.lab.WaitHealthy(1, h)
	if _, err := ask(t.Context(), http.MethodPut, v.token[0]+"/d", url.Values{"dir": {"true"}}); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"gc", "--dry-run"}, {"gc"}} {
		r := v.discovery(append(args, v.token...)...)
		if r.Code != 75 || r.Stdout != "" || !strings.Contains(r.Stderr, `its key "d" is a directory or empty: delete it by hand`) {
			t.Errorf("%q: %s", args, r)
		}
	}
}

// TestDiscoveryNewProxy: who makes a token goes the way of who asks for it later.
func TestDiscoveryNewProxy(t *testing.T) {
	t.Parallel()
	const token = "http://discovery.test/0123456789abcdef0123456789abcdef"
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, token) // for a host whose name does not even resolve
	}))
	t.Cleanup(proxy.Close)
	r := cluster.New(t).ElasticRun(cluster.Command{
		Args: []string{"discovery", "new", "--server=http://discovery.test"},
		Env:  []string{"HTTP_PROXY=" + proxy.URL, "NO_PROXY="},
	})
	if r.Code != 0 || r.Stdout != token+"\n" {
		t.Errorf("through a proxy: %s", r)
	}
}

// checkLocked: a cluster that does not let us in is told from one that does not
// answer, with what is missing.
func (v *verbs) checkLocked() {
	v.Helper()
	v.put("abc", "late=http://127.99.99.99:2380")
	v.hosts[0].EnableAuth()
	gc := append([]string{"gc", "--dry-run"}, v.token...)
	if r := v.discovery(gc...); r.Code != 78 || r.Stdout != "" || !strings.Contains(r.Stderr, "(give a user with the role root") {
		v.Errorf("gc: %s", r)
	}
	if r := v.discovery(append([]string{"show"}, v.token...)...); r.Code != 0 || !strings.Contains(r.Stdout, "(give a user with the role root") {
		v.Errorf("show: %s", r)
	}
	if r := v.discovery(append([]string{"show", "-o", "json"}, v.token...)...); r.Code != 0 || !strings.Contains(r.Stdout, `"cluster_error": "nobody tells`) {
		v.Errorf("show: %s", r)
	}
	gc = append(append([]string{"gc"}, as(v.T, cluster.Root)...), v.token...)
	if r := v.discovery(gc...); r.Code != 0 || r.Stdout != "late=http://127.99.99.99:2380\n" {
		v.Errorf("gc as root: %s", r)
	}
}

// TestDiscoveryVerbsRefuse: what is not a token is told apart from a service
// that is down.
func TestDiscoveryVerbsRefuse(t *testing.T) {
	t.Parallel()
	lab := cluster.New(t)
	service := lab.StartDiscovery()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{service.URL + "/" + strings.Repeat("0", 32)}, 78, "there is no such token"},
		{[]string{lab.DeadURL() + "/" + strings.Repeat("0", 32)}, 75, "connection refused"},
		{nil, 2, "no token"},
		{[]string{"nonsense"}, 2, "not valid"},
		{[]string{"a", "b"}, 2, "one token at a time"},
	} {
		for _, verb := range []string{"show", "gc"} {
			r := lab.Elastic(append([]string{"discovery", verb}, c.args...)...)
			if r.Code != c.code || r.Stdout != "" || !strings.Contains(r.Stderr, c.says) {
				t.Errorf("%s %q: want %d and %q, got %s", verb, c.args, c.code, c.says, r)
			}
		}
	}
}

// startOnFullDisk runs the service on a small disk of its own, which nobody
// else sees and which ends with it. A filler leaves little of it.
func startOnFullDisk(t *testing.T, lab *cluster.Lab, addr string) (filler string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: a full disk needs root (.ci/run has it)")
	}
	dir := filepath.Join(lab.Dir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-ec",
		`mount -t tmpfs -o size=2M none "$1"; head -c 1800k /dev/zero >"$1/filler"; exec "$2" discovery serve --listen "$3" --data "$1/d.db"`,
		"sh", dir, lab.Binary(), addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s", tail(log.String()))
		}
	})
	lab.WaitFor("the service to serve", func(ctx context.Context) error {
		_, err := ask(ctx, http.MethodGet, "http://"+addr+"/health", nil)
		return err
	})
	return fmt.Sprintf("/proc/%d/root%s/filler", cmd.Process.Pid, dir)
}

func tail(s string) string { return s[max(0, len(s)-2000):] }

// TestDiscoveryServiceFullDisk: what cannot be kept is not acknowledged, what
// is there is served on, and when there is room again it goes on by itself.
func TestDiscoveryServiceFullDisk(t *testing.T) {
	t.Parallel()
	lab := cluster.New(t)
	addr := lab.Addr() + ":8087"
	filler := startOnFullDisk(t, lab, addr)
	var tokens []string
	for range 30 { // none takes more than a quarter of a megabyte
		made, err := ask(t.Context(), http.MethodGet, "http://"+addr+"/new", nil)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, strings.TrimPrefix(made, "http://"+addr))
	}
	a := &acknowledged{keys: map[string]uint64{}}
	register := func(i int) error {
		id := fmt.Sprintf("%x", i+1)
		key := tokens[i%len(tokens)] + "/" + id
		var urls []string
		for port := range 30 {
			urls = append(urls, fmt.Sprintf("m%s=http://h%s.%s:%d", id, id, strings.Repeat("x", 30), 2380+port))
		}
		value := strings.Join(urls, ",")
		body, err := ask(t.Context(), http.MethodPut, "http://"+addr+key+"?prevExist=false", url.Values{"value": {value}})
		var answer struct{ Node struct{ CreatedIndex uint64 } }
		if err == nil {
			err = json.Unmarshal([]byte(body), &answer)
		}
		a.add(key, answer.Node.CreatedIndex, err)
		return err
	}
	var full error
	next := 0
	for ; full == nil && next < 4000; next++ {
		full = register(next)
	}
	if full == nil || !strings.Contains(full.Error(), "500") || !strings.Contains(full.Error(), "the store failed") {
		t.Fatalf("after %d registrations: %v", next, full)
	}
	a.check(t, addr, tokens)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		next++
		if err := register(next); err != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	a.check(t, addr, tokens)
}

// TestDiscoveryDownIsTold: a host replaces another while the discovery service
// is down, which costs it a warning and nothing else; so does a restart.
func TestDiscoveryDownIsTold(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	if err := s.disco.TryStop(); err != nil {
		t.Fatal(err)
	}
	hosts[2].Kill()
	fresh := s.lab.Host("3.6")
	for _, r := range []cluster.Result{s.elastic(fresh, at(hosts), "-cluster-size=3"), s.elastic(hosts[0])} {
		s.want(r, 0, "join-listed or resume-running")
		if !strings.Contains(r.Stderr, "may not lead later hosts to this member") {
			t.Errorf("it does not say that the service was down: %s", r)
		}
	}
}

// TestDiscoveryServiceUser: the service logs in to the etcd as soon as that is
// there, and does not go on with a password that is wrong.
func TestDiscoveryServiceUser(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.4", "3.6"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			at := lab.Host(version)
			lab.Found(at)
			at.EnableAuth()
			addr := lab.Addr() + ":8087"
			serve := []string{"discovery", "serve", "--listen", addr, "--endpoints", at.ClientURL(), "--user"}
			if r := lab.Elastic(append(serve, "root:wrong")...); r.Code != 78 || !strings.Contains(r.Stderr, "authentication failed") {
				t.Errorf("with a wrong password: %s", r)
			}
			at.Kill()
			lab.ElasticStart(cluster.Command{Timeout: time.Hour, Args: append(serve, "root", "--password-file", passwordFile(t, cluster.Root))})
			lab.WaitFor("the service to miss the etcd", func(ctx context.Context) error {
				return isAnswered(ctx, http.MethodGet, "http://"+addr+"/health", "", "503")
			})
			at.Resume()
			lab.WaitFor("the service to serve", func(ctx context.Context) error {
				return isAnswered(ctx, http.MethodGet, "http://"+addr+"/health", "", "")
			})
			if err := isAnswered(t.Context(), http.MethodGet, "http://"+addr+"/new", "", ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDiscoveryServiceFullEtcd: the service does not fill the etcd that keeps
// its data, and says so when somebody else did.
func TestDiscoveryServiceFullEtcd(t *testing.T) {
	t.Parallel()
	for version, limit := range map[string][]string{"3.5": {"--data-limit=2"}, "3.6": nil} { // 3.6 tells its quota
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			at := lab.Host(version)
			at.Start(append(at.IdentityFlags(), "--initial-cluster="+cluster.InitialCluster(at), "--quota-backend-bytes=20000000")...)
			lab.WaitHealthy(1, at)
			addr := lab.Addr() + ":8087"
			lab.ElasticStart(cluster.Command{Timeout: time.Hour, Args: append([]string{"discovery", "serve", "--listen", addr, "--endpoints", at.ClientURL()}, limit...)})
			lab.WaitFor("the service to serve", func(ctx context.Context) error {
				return isAnswered(ctx, http.MethodGet, "http://"+addr+"/health", "", "")
			})
			made, err := ask(t.Context(), http.MethodGet, "http://"+addr+"/new?size=2", nil)
			if err != nil {
				t.Fatal(err)
			}
			fill(t.Context(), at, 1100) // 17 MB
			lab.WaitFor("no token to be made any more", func(ctx context.Context) error {
				return isAnswered(ctx, http.MethodGet, "http://"+addr+"/new", "", "507")
			})
			for _, id := range []string{"/1", "/2"} {
				if err := isAnswered(t.Context(), http.MethodPut, made+id, "n"+id[1:]+"=http://h"+id[1:]+":1", ""); err != nil {
					t.Errorf("a founder: %v", err)
				}
			}
			for what, err := range map[string]error{
				"a late one": isAnswered(t.Context(), http.MethodPut, made+"/3", "n3=http://h3:1", "507"),
				"health":     isAnswered(t.Context(), http.MethodGet, "http://"+addr+"/health", "", ""),
			} {
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			fill(t.Context(), at, 300)
			lab.WaitFor("the service to be ill", func(ctx context.Context) error {
				_, _ = ask(ctx, http.MethodGet, "http://"+addr+"/new", nil)
				return isAnswered(ctx, http.MethodGet, "http://"+addr+"/health", "", "503")
			})
		})
	}
}

// fill puts other data into an etcd, as far as it takes them.
func fill(ctx context.Context, at *cluster.Host, values int) {
	client, value := at.Client(), strings.Repeat("x", 15<<10) // four pages with its key
	for i := range values {
		_, _ = client.Put(ctx, fmt.Sprintf("%d of %d", i, values), value)
	}
}

// isAnswered makes one request and wants this status, "" for a good one.
func isAnswered(ctx context.Context, method, url, value, status string) error {
	_, err := ask(ctx, method, url, map[string][]string{"value": {value}})
	if status == "" {
		return err
	}
	if err == nil || !strings.Contains(err.Error(), ": "+status+" ") {
		return fmt.Errorf("not a %s: %w", status, err)
	}
	return nil
}
