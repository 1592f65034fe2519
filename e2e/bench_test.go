package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// The benchmarks compare elastic-etcd, as a process from start to exit, with
// the bare RPCs that an admin's script would make on the same cluster in the
// same run. What they print as "x" is the ratio of the two.
const benched = "3.6"

// compare runs both sides alternately and reports the mean of each in ms, and
// the ratio.
func compare(b *testing.B, tool, bare func() time.Duration) {
	b.Helper()
	var tools, bares time.Duration
	for b.Loop() {
		tools += tool()
		bares += bare()
	}
	b.ReportMetric(ms(tools)/float64(b.N), "ms/tool")
	b.ReportMetric(ms(bares)/float64(b.N), "ms/bare")
	b.ReportMetric(float64(tools)/float64(bares), "x")
	b.ReportMetric(0, "ns/op")
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// bare is a script's client: dialed anew, closed at the end.
func bare(b *testing.B, h *cluster.Host, f func(context.Context, *clientv3.Client) error) time.Duration {
	b.Helper()
	return timed(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		c, err := clientv3.New(clientv3.Config{Endpoints: []string{h.ClientURL()}})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		if err := f(ctx, c); err != nil {
			b.Fatal(err)
		}
	})
}

func list(ctx context.Context, c *clientv3.Client) error {
	_, err := c.MemberList(ctx)
	return err
}

// listAndAdd is how an admin makes room for a host, by hand.
func listAndAdd(url string) func(context.Context, *clientv3.Client) error {
	return func(ctx context.Context, c *clientv3.Client) error {
		if err := list(ctx, c); err != nil {
			return err
		}
		_, err := c.MemberAdd(ctx, []string{url})
		return err
	}
}

func (s *bench) run(h *cluster.Host, reason string, more ...string) time.Duration {
	s.B.Helper()
	r := h.Elastic(append([]string{"-o=flags", "-discovery=" + s.token, "-etcd-version=3.6.0", "-dead-after=1s", "-timeout=60s"}, more...)...)
	if r.Code != 0 {
		s.B.Fatalf("want %s, got %s", reason, r)
	}
	return r.Took
}

// bench is a running cluster of three that was founded under a token.
type bench struct {
	*testing.B
	lab   *cluster.Lab
	disco *cluster.Discovery
	token string
	hosts []*cluster.Host
}

func newBench(b *testing.B) *bench {
	b.Helper()
	lab := cluster.New(b)
	s := &bench{B: b, lab: lab, disco: lab.StartDiscovery(), hosts: lab.Hosts(3, benched)}
	s.token = s.disco.NewToken(3)
	for i, r := range s.decide(s.token, s.hosts) {
		s.hosts[i].StartWith(r.Stdout)
	}
	lab.WaitHealthy(3, s.hosts...)
	return s
}

// decide boots hosts at once, up to what etcd is told.
func (s *bench) decide(token string, hosts []*cluster.Host) []cluster.Result {
	s.B.Helper()
	var runs []*cluster.Running
	for _, h := range hosts {
		runs = append(runs, h.ElasticStart("-o=flags", "-discovery="+token))
	}
	var results []cluster.Result
	for _, run := range runs {
		r := run.Wait()
		if r.Code != 0 {
			s.B.Fatalf("found: %s", r)
		}
		results = append(results, r)
	}
	return results
}

func BenchmarkResume(b *testing.B) {
	s := newBench(b)
	s.hosts[2].Stop()
	compare(b, func() time.Duration { return s.run(s.hosts[2], "resume-member") },
		func() time.Duration { return bare(b, s.hosts[0], list) })
}

// BenchmarkJoin adds a host that never starts, and takes it out again, which is
// not counted. Each has a peer URL of its own: etcd gives a URL that it adds
// twice in a second the same ID, and refuses one that was removed.
func BenchmarkJoin(b *testing.B) {
	s := newBench(b)
	fresh := s.lab.Host(benched)
	port := 3000
	next := func() string {
		port++
		return strings.Replace(fresh.PeerURL(), ":2380", fmt.Sprintf(":%d", port), 1)
	}
	s.undo(s.hosts[0].Add(next())) // waits until etcd takes its cluster for old enough
	compare(b, func() time.Duration {
		took := s.run(fresh, "join-listed", "-cluster-size=0", "-initial-advertise-peer-urls="+next())
		s.undo(s.unstarted())
		return took
	}, func() time.Duration {
		took := bare(b, s.hosts[0], listAndAdd(next()))
		s.undo(s.unstarted())
		return took
	})
}

// unstarted is the member that was added last.
func (s *bench) unstarted() uint64 {
	s.B.Helper()
	for _, m := range s.hosts[0].Members() {
		if len(m.ClientURLs) == 0 {
			return m.ID
		}
	}
	s.B.Fatal("nobody was added")
	return 0
}

func (s *bench) undo(id uint64) { s.hosts[0].Remove(id) }

// BenchmarkReplace takes out an abandoned entry each time, which the next
// round's is. The window that the verdict takes, one second here, is not
// counted: it is what the admin asked for.
func BenchmarkReplace(b *testing.B) {
	s := newBench(b)
	fresh := []*cluster.Host{s.lab.Host(benched), s.lab.Host(benched)}
	lost, _ := s.hosts[0].Membership().Of(s.hosts[2])
	s.hosts[2].Kill()
	s.hosts[0].Remove(lost.ID)
	s.hosts[0].Add(fresh[1].PeerURL())
	round := 0
	compare(b, func() time.Duration {
		took := s.run(fresh[round%2], "join-listed")
		round++
		return took - time.Second
	}, func() time.Duration {
		m, _ := s.hosts[0].Membership().Of(fresh[(round+1)%2])
		took := bare(b, s.hosts[0], func(ctx context.Context, c *clientv3.Client) error {
			if _, err := c.MemberRemove(ctx, m.ID); err != nil {
				return err
			}
			return listAndAdd(fresh[round%2].PeerURL())(ctx, c)
		})
		round++
		return took
	})
}

// BenchmarkFound has three hosts decide at once under a new token; the bare
// side is three registrations, one after the other, as curl would make them.
func BenchmarkFound(b *testing.B) {
	lab := cluster.New(b)
	s := &bench{B: b, lab: lab, disco: lab.StartDiscovery()}
	compare(b, func() time.Duration {
		token, hosts := s.disco.NewToken(3), s.freshHosts()
		return timed(func() { s.decide(token, hosts) })
	}, func() time.Duration {
		token := s.disco.NewToken(3)
		return timed(func() {
			for i := range 3 {
				register(b, token, i)
			}
		})
	})
}

// freshHosts are three hosts without data: each round's on the addresses of
// the first.
func (s *bench) freshHosts() []*cluster.Host {
	if s.hosts == nil {
		s.hosts = s.lab.Hosts(3, benched)
		return s.hosts
	}
	for _, h := range s.hosts {
		h.Wipe()
	}
	return s.hosts
}

// BenchmarkSize reports what the binary weighs.
func BenchmarkSize(b *testing.B) {
	info, err := os.Stat(cluster.New(b).Binary())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB/binary")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkGenerator compares a run of the generator, on a host without and
// with a configuration, with a Go program that does nothing: systemd waits for
// it at every boot and every reload.
func BenchmarkGenerator(b *testing.B) {
	binary, empty := cluster.New(b).Binary(), emptyProgram(b)
	for name, config := range map[string]string{"unconfigured": "", "configured": "ELASTIC_ETCD_DISCOVERY=http://10.0.0.1:8087/x\n"} {
		b.Run(name, func(b *testing.B) {
			root, out := hostRoot(b, config), b.TempDir()
			compare(b, func() time.Duration { return runOnce(b, binary, "generator", "--root="+root, out) },
				func() time.Duration { return runOnce(b, empty) })
		})
	}
}

// hostRoot is a host's root with a configuration, unless that is empty.
func hostRoot(b *testing.B, config string) string {
	b.Helper()
	root := b.TempDir()
	files := map[string]string{"proc/cmdline": "ro quiet\n"}
	if config != "" {
		files["etc/elastic-etcd/elastic-etcd.conf"] = config
	}
	for path, content := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return root
}

func emptyProgram(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", "empty", "main.go")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build an empty program: %v: %s", err, out)
	}
	return filepath.Join(dir, "empty")
}

func runOnce(b *testing.B, argv ...string) time.Duration {
	b.Helper()
	return timed(func() {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			b.Fatalf("%q: %v: %s", argv, err, out)
		}
	})
}
