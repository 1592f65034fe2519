package e2e

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// The discovery benchmarks give the same work, in turn, to our service on a
// file, to our service on an etcd 3.6, and to the v2 keys of an etcd 3.5, the
// last server of the protocol. An "x" is the ratio to that etcd: above one is
// slower, or more.

// registryServer is one that keeps tokens, at work.
type registryServer struct {
	name   string
	base   string // before a token
	pid    int
	create func(size int) (token string, err error) // gives its URL
	client *http.Client
}

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext}}
}

// startService starts our service without limits on rates, since all asks
// come from one address.
func startService(b *testing.B, lab *cluster.Lab, name string, store ...string) *registryServer {
	b.Helper()
	addr := lab.Addr() + ":8087"
	run := lab.ElasticStart(cluster.Command{Timeout: time.Hour, Args: append([]string{"discovery", "serve", "--listen", addr, "--rate=0", "--new-rate=0"}, store...)})
	lab.WaitFor("the service to serve", logged(run, "serving discovery at"))
	s := &registryServer{name: name, base: "http://" + addr, pid: run.Pid(), client: newClient()}
	s.create = func(size int) (string, error) {
		return s.ask(http.MethodGet, fmt.Sprintf("%s/new?size=%d", s.base, size), nil)
	}
	return s
}

// startV2 starts the etcd that ours is compared with.
func startV2(b *testing.B, lab *cluster.Lab) *registryServer {
	b.Helper()
	h := lab.Host("3.5")
	h.Start(append(h.IdentityFlags(), "--enable-v2", "--initial-cluster="+cluster.InitialCluster(h), "--initial-cluster-state=new")...)
	lab.WaitHealthy(1, h)
	s := &registryServer{name: "v2", base: h.ClientURL() + "/v2/keys/_etcd/registry", pid: h.Etcd().Pid(), client: newClient()}
	s.create = func(size int) (string, error) {
		secret := make([]byte, 16)
		rand.Read(secret)
		token := s.base + "/" + hex.EncodeToString(secret)
		_, err := s.ask(http.MethodPut, token+"/_config/size", url.Values{"value": {strconv.Itoa(size)}})
		return token, err
	}
	return s
}

func (s *registryServer) ask(method, url string, form url.Values) (string, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, url, res.Status, body)
	}
	return string(body), err
}

func (s *registryServer) register(token string, i int) error {
	form := url.Values{"value": {fmt.Sprintf("m%d=http://h%d:2380", i, i)}}
	_, err := s.ask(http.MethodPut, fmt.Sprintf("%s/%x?prevExist=false", token, i+1), form)
	return err
}

// all are the servers to compare, that of etcd last.
func discoveryServers(b *testing.B) []*registryServer {
	b.Helper()
	lab := cluster.New(b)
	at := lab.Host(benched)
	lab.Found(at)
	return []*registryServer{
		startService(b, lab, "file", "--data", filepath.Join(lab.Dir(), "bench.db")),
		startService(b, lab, "etcd", "--endpoints", at.ClientURL()),
		startV2(b, lab),
	}
}

// each has workers do a number of things, and tells how long that took.
func each(b *testing.B, workers, n int, do func(i int) error) time.Duration {
	b.Helper()
	var all sync.WaitGroup
	var next atomic.Int64
	start := time.Now()
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(start)
}

// reportEach reports what each server took for one thing, and the ratios.
func reportEach(b *testing.B, servers []*registryServer, took map[string]time.Duration, things int) {
	b.Helper()
	bare := took[servers[len(servers)-1].name]
	for _, s := range servers {
		b.ReportMetric(float64(took[s.name])/float64(time.Microsecond)/float64(things), "us/"+s.name)
		if s.name != "v2" {
			b.ReportMetric(float64(took[s.name])/float64(bare), "x-"+s.name)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkDiscoveryRegister makes two hundred tokens and registers three
// founders with each, 32 at a time, in every round.
func BenchmarkDiscoveryRegister(b *testing.B) {
	const tokens, founders, workers = 200, 3, 32
	servers := discoveryServers(b)
	took := map[string]time.Duration{}
	for b.Loop() {
		for _, s := range servers {
			urls := make([]string, tokens)
			took[s.name] += each(b, workers, tokens, func(i int) (err error) {
				urls[i], err = s.create(founders)
				return err
			})
			took[s.name] += each(b, workers, tokens*founders, func(i int) error { return s.register(urls[i/founders], i%founders) })
		}
	}
	reportEach(b, servers, took, b.N*tokens*(1+founders))
}

// BenchmarkDiscoveryFound is what etcds do at once for a cluster of three:
// size, list, register, and then wait until all are there, for two hundred
// clusters.
func BenchmarkDiscoveryFound(b *testing.B) {
	const tokens, founders = 200, 3
	servers := discoveryServers(b)
	took := map[string]time.Duration{}
	for b.Loop() {
		for _, s := range servers {
			urls := make([]string, tokens)
			each(b, 16, tokens, func(i int) (err error) {
				urls[i], err = s.create(founders)
				return err
			})
			took[s.name] += each(b, tokens*founders, tokens*founders, func(i int) error { return s.found(urls[i/founders], i%founders, founders) })
		}
	}
	reportEach(b, servers, took, b.N*tokens*founders)
}

var createdIndex = regexp.MustCompile(`"createdIndex":(\d+)`)

// found does what etcd's discovery client does (v2discovery/discovery.go).
func (s *registryServer) found(token string, i, founders int) error {
	if _, err := s.ask(http.MethodGet, token+"/_config/size", nil); err != nil {
		return err
	}
	if err := s.register(token, i); err != nil {
		return err
	}
	list, err := s.ask(http.MethodGet, token, nil)
	if err != nil {
		return err
	}
	last := 0
	for _, m := range createdIndex.FindAllStringSubmatch(list, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return err
		}
		last = max(last, n)
	}
	for n := strings.Count(list, `"value"`); n < founders; n++ {
		event, err := s.ask(http.MethodGet, fmt.Sprintf("%s?wait=true&recursive=true&waitIndex=%d", token, last+1), nil)
		if err != nil {
			return err
		}
		m := createdIndex.FindStringSubmatch(event)
		if m == nil {
			return fmt.Errorf("an event without an index: %q", event)
		}
		if last, err = strconv.Atoi(m[1]); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkDiscoveryWait has three thousand clients wait, ten a token, wakes
// them all by a registration each token, and tells what memory one takes.
func BenchmarkDiscoveryWait(b *testing.B) {
	const waiters, perToken = 3000, 10
	servers := discoveryServers(b)
	took := map[string]time.Duration{}
	bytes := map[string]float64{}
	for b.Loop() {
		for _, s := range servers {
			urls := make([]string, waiters/perToken)
			each(b, 16, len(urls), func(i int) (err error) {
				urls[i], err = s.create(5)
				return err
			})
			before := memory(b, s.pid)
			wait := s.waiters(b, urls, waiters)
			bytes[s.name] += float64(memory(b, s.pid)-before) / waiters
			took[s.name] += timed(func() {
				each(b, 16, len(urls), func(i int) error { return s.register(urls[i], 1) })
				wait()
			})
			s.client.CloseIdleConnections()
		}
	}
	reportEach(b, servers, took, b.N*waiters)
	for _, s := range servers {
		b.ReportMetric(bytes[s.name]/1024/float64(b.N), "KiB/"+s.name)
	}
}

// waiters has that many clients wait, returns when all are being served, and
// then a function that waits until all have their event.
func (s *registryServer) waiters(b *testing.B, urls []string, n int) (wait func()) {
	b.Helper()
	client := newClient()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	var served, woken sync.WaitGroup
	served.Add(n)
	for i := range n {
		woken.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, urls[i%len(urls)]+"?wait=true&recursive=true", nil)
			var res *http.Response
			if err == nil {
				res, err = client.Do(req)
			}
			served.Done()
			if err != nil {
				b.Error(err)
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil || !strings.Contains(string(body), "m1=http://h1:2380") {
				b.Errorf("woken by %q, %v", body, err)
			}
		})
	}
	served.Wait()
	return func() { woken.Wait(); cancel(); client.CloseIdleConnections() }
}

var residentMemory = regexp.MustCompile(`(?m)^RssAnon:\s+(\d+) kB`)

// memory is what a process has for itself.
func memory(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	m := residentMemory.FindSubmatch(status)
	if m == nil {
		b.Fatalf("no RssAnon: %s", status)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		b.Fatal(err)
	}
	return n << 10
}
