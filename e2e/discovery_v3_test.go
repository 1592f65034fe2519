package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// registry is a v3 etcd that has one token.
type registry struct {
	*sourced
	etcd   *cluster.Host
	client *clientv3.Client
	token  string
}

// newRegistry makes an etcd of some version with a token, by etcd's own keys
// (etcd.io/docs/v3.6/dev-internal/discovery_protocol).
func newRegistry(t *testing.T, version string, size int) *registry {
	t.Helper()
	s := newSourced(t)
	etcd := s.lab.Host(version)
	s.lab.Found(etcd)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{etcd.ClientURL()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	r := &registry{s, etcd, client, "6c007a14875d53d9bf0ef5a6fc0257c817f0fb83"}
	etcd.Put(r.key("_config/size"), fmt.Sprint(size))
	s.source = []string{"--discovery-token=" + r.token, "--discovery-endpoints=" + etcd.ClientURL()}
	return r
}

func (r *registry) key(rest string) string { return "/_etcd/registry/" + r.token + "/" + rest }

// plain starts an etcd that goes by the token itself.
func (r *registry) plain(h *cluster.Host) {
	r.Helper()
	h.Start(append(h.IdentityFlags(), r.source...)...)
}

func (r *registry) registered(ctx context.Context) (int, error) {
	resp, err := r.client.Get(ctx, r.key("members/"), clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return int(resp.Count), nil
}

func (r *registry) waitRegistered(n int) {
	r.Helper()
	r.lab.WaitFor(fmt.Sprintf("%d registrations", n), func(ctx context.Context) error {
		if got, err := r.registered(ctx); err != nil || got < n {
			return fmt.Errorf("%d so far, %w", got, err)
		}
		return nil
	})
}

// TestSourcesV3: hosts that run plain etcd and hosts that run elastic-etcd
// found one cluster under one token, whoever comes first, in any v3 etcd.
func TestSourcesV3(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version, registry string
		plain             int // how many, of three
		plainFirst        bool
	}{
		{"3.6", "3.4", 1, true}, {"3.6", "3.7", 2, false}, {"3.7", "3.5", 1, false}, {"3.7", "3.6", 2, true},
		{"2.3", "3.6", 0, false}, {"3.5", "3.6", 0, false}, {"3.7", "3.7", 0, false},
	} {
		t.Run(fmt.Sprintf("%s in %s, %d plain, first %t", c.version, c.registry, c.plain, c.plainFirst), func(t *testing.T) {
			r := newRegistry(t, c.registry, 3)
			hosts := r.lab.Hosts(3, c.version)
			plain := func() {
				for _, h := range hosts[:c.plain] {
					r.plain(h)
				}
			}
			if c.plainFirst {
				plain()
				r.waitRegistered(c.plain)
			}
			var runs []*cluster.Running
			for _, h := range hosts[c.plain:] {
				runs = append(runs, r.ask(h))
			}
			if !c.plainFirst {
				r.waitRegistered(len(runs))
				plain()
			}
			for i, run := range runs {
				told := run.Wait()
				r.want(told, 0, founding)
				hosts[c.plain+i].StartWith(told.Stdout)
			}
			r.lab.WaitHealthy(3, hosts...)
			r.oneCluster(hosts)
		})
	}
}

// oneCluster: a plain etcd of 3.6 and later says the same IDs.
func (r *registry) oneCluster(hosts []*cluster.Host) {
	r.Helper()
	for _, h := range hosts[1:] {
		if h.ClusterID() != hosts[0].ClusterID() {
			r.Fatalf("%s is in cluster %x, %s in %x", h.Name, h.ClusterID(), hosts[0].Name, hosts[0].ClusterID())
		}
	}
	keys, err := r.client.Get(context.Background(), r.key("members/"), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		r.Fatal(err)
	}
	for _, m := range hosts[0].Members() {
		if !strings.Contains(fmt.Sprint(keys.Kvs), fmt.Sprintf("members/%x", m.ID)) {
			r.Fatalf("member %x is not registered: %v", m.ID, keys.Kvs)
		}
	}
}

// TestSourcesV3Surplus: five hosts race for three places; the others wait,
// and join a cluster that may grow.
func TestSourcesV3Surplus(t *testing.T) {
	r := newRegistry(t, "3.6", 3)
	hosts := r.lab.Hosts(6, "3.7")
	var runs []*cluster.Running
	for _, h := range hosts {
		runs = append(runs, r.ask(h))
	}
	members := r.members(hosts, runs)
	if len(members) != 3 {
		t.Fatalf("%d hosts found the cluster", len(members))
	}
	r.lab.WaitHealthy(3, members...)
	late := without(without(without(hosts, members[0]), members[1]), members[2])[0]
	r.bring("join-listed", late, "-cluster-size=4")
	r.lab.WaitHealthy(4, append(members, late)...)
	r.waitRegistered(4) // the newcomer leads others to the cluster
}

// TestSourcesV3Registrants: a host registers and dies before the others come.
func TestSourcesV3Registrants(t *testing.T) {
	r := newRegistry(t, "3.6", 3)
	hosts := r.lab.Hosts(4, "3.6")
	first := r.ask(hosts[0])
	r.waitRegistered(1)
	if err := first.TryKill(); err != nil {
		t.Fatal(err)
	}
	others := []*cluster.Running{r.ask(hosts[1]), r.ask(hosts[2])}
	for i, run := range others { // they need not wait for it: its place is taken
		told := run.Wait()
		r.want(told, 0, founding)
		hosts[i+1].StartWith(told.Stdout)
	}
	r.lab.WaitLeader(hosts[1], hosts[2])
	hosts[1].Put("key", "value")
	t.Run("comes back", func(t *testing.T) {
		r.bring("join-listed", hosts[0])
		r.lab.WaitHealthy(3, hosts[:3]...)
		r.wantKey(hosts[0], "value")
	})
	t.Run("never comes back", func(t *testing.T) {
		hosts[0].Kill()
		r.bring("join-listed", hosts[3])
		r.lab.WaitHealthy(3, hosts[1:]...)
	})
	t.Run("all down, one lost its disk", func(t *testing.T) {
		for _, h := range hosts[1:] {
			h.Kill()
		}
		hosts[1].Wipe()
		r.wantWait(r.ask(hosts[1]), "founder-lost-disk")
	})
}

// TestSourcesV3Never: a registrant never runs, and the quorum is one without
// it; the surplus takes its place.
func TestSourcesV3Never(t *testing.T) {
	r := newRegistry(t, "3.6", 3)
	hosts := r.lab.Hosts(4, "3.7")
	gone := r.ask(hosts[0])
	r.waitRegistered(1)
	if err := gone.TryKill(); err != nil {
		t.Fatal(err)
	}
	r.all(founding, hosts[1:3]...)
	r.lab.WaitLeader(hosts[1], hosts[2])
	r.bring("join-listed", hosts[3])
	r.lab.WaitHealthy(3, hosts[1:]...)
}

// TestSourcesV3Down: without the registry nobody founds, and everybody
// resumes; a token that it does not know is said so.
func TestSourcesV3Down(t *testing.T) {
	r := newRegistry(t, "3.6", 1)
	h := r.lab.Host("3.6")
	r.source[0] += "x"
	r.want(r.ask(h).Wait(), 78, "discovery-token-unknown")
	r.source[0] = strings.TrimSuffix(r.source[0], "x")
	r.etcd.Put(r.key("_config/size"), "one")
	r.want(r.ask(h).Wait(), 78, "discovery-entry-invalid")
	r.etcd.Put(r.key("_config/size"), "1")
	r.etcd.Freeze()
	r.wantWait(r.ask(h), "discovery-unreachable")
	r.etcd.Thaw()
	r.bring("found", h)
	r.lab.WaitHealthy(1, h)
	h.Kill()
	r.etcd.Kill()
	r.bring(resume, h)
	r.lab.WaitHealthy(1, h)
}

// TestGCHostile: whoever may write below a token makes no founder's place free,
// and nothing else go, by keys that look like another one.
func TestGCHostile(t *testing.T) {
	r := newRegistry(t, "3.6", 1)
	hosts := r.lab.Hosts(1, "3.6")
	r.all(founding, hosts...)
	r.lab.WaitHealthy(1, hosts...)
	founder := fmt.Sprintf("%x", hosts[0].Members()[0].ID)
	before := r.etcd.Get(r.key("members/" + founder))
	for _, hostile := range []string{"members//" + founder, "members/../_config/size", "members/./" + founder, "members2/abc", "members/" + founder + " "} {
		r.etcd.Put(r.key(hostile), "x=http://127.99.99.99:2380")
	}
	r.etcd.Put(r.key("members/abc"), "late=http://127.99.99.98:2380")
	r.etcd.Put(r.key("members/abd "), " spaced=http://127.99.99.97:2380\n")
	const gone = "late=http://127.99.99.98:2380\nspaced=http://127.99.99.97:2380\n"
	dry := r.lab.Elastic(append([]string{"discovery", "gc", "--dry-run"}, r.source...)...)
	gc := r.lab.Elastic(append([]string{"discovery", "gc"}, r.source...)...)
	for _, r := range []cluster.Result{dry, gc} {
		if r.Code != 75 || r.Stdout != gone || !strings.Contains(r.Stderr, "delete it by hand; forget ") {
			t.Errorf("gc: %s", r)
		}
	}
	if n, err := r.registered(t.Context()); err != nil || n != 5 { // the founder's, and what is hostile but members2
		t.Errorf("%d are registered, %v", n, err)
	}
	if after := r.etcd.Get(r.key("members/" + founder)); after != before || r.etcd.Get(r.key("_config/size")) != "1" {
		t.Errorf("the founder is %q, was %q", after, before)
	}
}
