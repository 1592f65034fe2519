package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
)

// probeTimeout is what one frozen member costs a Look.
const probeTimeout = time.Second

// TestEtcdAPI leads one cluster of each version from health to the loss of
// its quorum, and back to where nothing can be changed.
func TestEtcdAPI(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			hosts := lab.Hosts(3, version)
			lab.Found(hosts...)
			w := watcher{t, lab, newAPI(t, etcdapi.Config{}), hosts[0].PeerURL()}
			w.seesHealthy(hosts, version)
			w.seesFrozen(hosts[1], hosts[0], hosts[2])
			w.seesKilled(hosts[1], hosts[0], hosts[2])
			w.removes(hosts[1])
			w.addsAndUpdates()
			w.seesNoQuorum(hosts[2])
		})
	}
}

func newAPI(t *testing.T, config etcdapi.Config) *etcdapi.API {
	t.Helper()
	config.ProbeTimeout = probeTimeout
	api, err := etcdapi.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	return api
}

// watcher looks at a cluster through one of its peer URLs.
type watcher struct {
	t    *testing.T
	lab  *cluster.Lab
	api  *etcdapi.API
	peer string
}

func (w watcher) look() etcdapi.Sight {
	w.t.Helper()
	start := time.Now()
	s := w.api.Look(w.t.Context(), etcdapi.Where{Registered: []string{w.peer}})
	w.t.Logf("Look took %v", time.Since(start).Round(time.Millisecond))
	return s
}

// cluster is the only cluster with a quorum.
func (w watcher) cluster() joiner.Cluster {
	w.t.Helper()
	return w.sees("a cluster", func(joiner.Cluster) error { return nil })
}

// sees looks until the only cluster with a quorum is as wanted: one look may
// fall into an election, or find a busy disk.
func (w watcher) sees(what string, wanted func(joiner.Cluster) error) (c joiner.Cluster) {
	w.t.Helper()
	w.lab.WaitFor(what, func(context.Context) error {
		s := w.look()
		if len(s.Clusters) != 1 {
			return fmt.Errorf("%d clusters with a quorum in %+v", len(s.Clusters), s)
		}
		if c = s.Clusters[0]; c.NoProof != "" {
			return fmt.Errorf("no progress of the leader: %s", c.NoProof)
		}
		return wanted(c)
	})
	return c
}

func (w watcher) member(c joiner.Cluster, peerURL string) joiner.Member {
	w.t.Helper()
	m, listed := memberAt(c.Members, peerURL)
	if !listed {
		w.t.Fatalf("no member has peer URL %s in %+v", peerURL, c.Members)
	}
	return m
}

func memberAt(list []joiner.Member, peerURL string) (joiner.Member, bool) {
	i := slices.IndexFunc(list, func(m joiner.Member) bool { return slices.Contains(m.PeerURLs, peerURL) })
	if i < 0 {
		return joiner.Member{}, false
	}
	return list[i], true
}

func (w watcher) seesHealthy(hosts []*cluster.Host, version string) {
	w.t.Helper()
	wanted, err := etcdapi.ParseVersion(version)
	if err != nil {
		w.t.Fatal(err)
	}
	leader := w.lab.WaitLeader(hosts...)
	// A cluster of etcd 3 says 3.0 or nothing until it has seen all founders.
	c := w.sees("the cluster's version", func(c joiner.Cluster) error {
		return errors.Join(healthyAt(c, hosts...), differs("cluster version", c.Version, wanted))
	})
	if uint64(c.ID) != hosts[0].ClusterID() || len(c.Members) != len(hosts) || c.Term == 0 {
		w.t.Errorf("cluster %+v", c)
	}
	if got := w.member(c, leader.PeerURL()).ID; got != c.Leader {
		w.t.Errorf("leader is %s, want %s", c.Leader, got)
	}
	for _, h := range hosts {
		m := w.member(c, h.PeerURL())
		if m.Name != h.Name || !m.Started() || m.Version != wanted {
			w.t.Errorf("%s: %+v", h.Name, m)
		}
	}
}

// healthyAt says which member of some hosts is not healthy.
func healthyAt(c joiner.Cluster, hosts ...*cluster.Host) error {
	for _, host := range hosts {
		m, listed := memberAt(c.Members, host.PeerURL())
		if h := m.Health; !listed || h.Reached == "" || !h.Following || h.Match == 0 || h.Silent != 0 || h.Unclear != "" {
			return fmt.Errorf("the member at %s is not healthy: %+v", host.PeerURL(), m)
		}
	}
	return nil
}

func (w watcher) wantHealthy(hosts ...*cluster.Host) {
	w.t.Helper()
	w.sees("healthy members", func(c joiner.Cluster) error { return healthyAt(c, hosts...) })
}

// wantLost also wants the evidence to grow from one Look to the next.
func (w watcher) wantLost(lost *cluster.Host, others ...*cluster.Host) {
	w.t.Helper()
	var before joiner.Health
	w.sees(lost.Name+" to be lost", func(c joiner.Cluster) error {
		m, _ := memberAt(c.Members, lost.PeerURL())
		after := m.Health
		defer func() { before = after }()
		if after.Reached != "" || after.Following || after.Unclear != "" || after.Match != before.Match {
			return fmt.Errorf("it is seen as %+v", after)
		}
		if after.Silent <= before.Silent || after.Stalled <= before.Stalled || before.Stalled == 0 {
			return fmt.Errorf("evidence %+v is no more than %+v", after, before)
		}
		return healthyAt(c, others...)
	})
}

func (w watcher) seesFrozen(frozen *cluster.Host, others ...*cluster.Host) {
	w.t.Helper()
	frozen.Freeze()
	w.lab.WaitLeader(others...)
	w.wantLost(frozen, others...)
	frozen.Thaw()
	w.lab.WaitHealthy(3, append(others, frozen)...)
	w.wantHealthy(frozen)
}

func (w watcher) seesKilled(killed *cluster.Host, others ...*cluster.Host) {
	w.t.Helper()
	killed.Kill()
	w.lab.WaitLeader(others...)
	w.wantLost(killed, others...)
	killed.Resume()
	w.lab.WaitHealthy(3, append(others, killed)...)
	w.wantHealthy(killed)
	killed.Kill()
	w.lab.WaitLeader(others...)
	w.wantFailure("connection refused", killed.PeerURL())
}

// wantFailure wants these addresses to fail, with this in the errors.
func (w watcher) wantFailure(text string, urls ...string) {
	w.t.Helper()
	w.lab.WaitFor("failures of "+strings.Join(urls, ", "), func(context.Context) error {
		failures := w.look().Failures
		for _, url := range urls {
			if !slices.ContainsFunc(failures, func(f joiner.Failure) bool { return f.URL == url && strings.Contains(f.Error, text) }) {
				return fmt.Errorf("no %q of %s in %+v", text, url, failures)
			}
		}
		return nil
	})
}

func (w watcher) removes(dead *cluster.Host) {
	w.t.Helper()
	c := w.cluster()
	m := w.member(c, dead.PeerURL())
	seen := m
	seen.PeerURLs = []string{"http://127.1.2.3:2380"}
	if err := w.api.Remove(w.t.Context(), c.ID, seen, etcdapi.Under{}); err == nil {
		w.t.Fatal("removed a member that has other peer URLs than it was seen with")
	}
	if err := w.api.Remove(w.t.Context(), c.ID+1, m, etcdapi.Under{}); err == nil {
		w.t.Fatal("removed a member of another cluster")
	}
	w.change("remove the dead member", func(ctx context.Context) error { return w.api.Remove(ctx, c.ID, m, etcdapi.Under{}) })
	w.change("remove it again", func(ctx context.Context) error { return w.api.Remove(ctx, c.ID, m, etcdapi.Under{}) })
	if list := w.cluster().Members; len(list) != 2 {
		w.t.Errorf("members after the removal: %+v", list)
	}
}

// change tries until etcd finds its cluster well enough.
func (w watcher) change(what string, do func(context.Context) error) {
	w.t.Helper()
	w.lab.WaitFor(what, func(context.Context) error { return do(w.t.Context()) })
}

// addsAndUpdates adds a member with two URLs, gives it another one and takes
// it out again. It never starts: the two others are a quorum of three.
func (w watcher) addsAndUpdates() {
	w.t.Helper()
	id := w.cluster().ID
	addr, other := w.lab.Addr(), w.lab.Addr()
	urls := []string{"http://" + addr + ":2380", "http://" + addr + ":2381"}
	for range 2 {
		w.change("add a member", func(ctx context.Context) error { return w.api.Add(ctx, id, urls, false, etcdapi.Under{}) })
	}
	c := w.cluster()
	m := w.member(c, urls[0])
	if len(c.Members) != 3 || m.Started() || len(m.PeerURLs) != 2 || m.Health.Following {
		w.t.Errorf("added %+v in %+v", m, c.Members)
	}
	moved := []string{"http://" + other + ":2380"}
	for range 2 {
		w.change("update its URLs", func(ctx context.Context) error { return w.api.Update(ctx, id, m, moved, etcdapi.Under{}) })
	}
	if got := w.member(w.cluster(), moved[0]); got.ID != m.ID || len(got.PeerURLs) != 1 {
		w.t.Errorf("updated %+v to %+v", m, got)
	}
	if err := w.api.Remove(w.t.Context(), id, m, etcdapi.Under{}); err == nil {
		w.t.Error("removed a member whose URLs changed since it was seen")
	}
	m.PeerURLs = moved
	w.change("remove the new member", func(ctx context.Context) error { return w.api.Remove(ctx, id, m, etcdapi.Under{}) })
}

func (w watcher) seesNoQuorum(follower *cluster.Host) {
	w.t.Helper()
	id := w.cluster().ID
	follower.Kill()
	w.lab.WaitFor("no quorum, and a view of two members", func(context.Context) error {
		s := w.look()
		i := slices.IndexFunc(s.Views, func(v joiner.View) bool { return v.From == w.peer })
		if len(s.Clusters) > 0 || i < 0 || s.Views[i].ClusterID != id || len(s.Views[i].Members) != 2 {
			return fmt.Errorf("seen: %+v", s)
		}
		return nil
	})
	if err := w.api.Add(w.t.Context(), id, []string{"http://127.1.2.3:2380"}, false, etcdapi.Under{}); err == nil {
		w.t.Error("added a member without a quorum")
	}
}

func differs[V comparable](what string, got, want V) error {
	if got != want {
		return fmt.Errorf("%s is %v, want %v", what, got, want)
	}
	return nil
}

// TestEtcdAPILearner wants a learner to be told from a voter, with evidence
// of its own, and never to be the only one asked.
func TestEtcdAPILearner(t *testing.T) {
	lab := cluster.New(t)
	hosts := lab.Hosts(2, "3.6")
	lab.Found(hosts[0])
	w := watcher{t, lab, newAPI(t, etcdapi.Config{}), hosts[1].PeerURL()}
	w.change("add a learner", func(ctx context.Context) error {
		_, err := hosts[0].TryAddLearner(ctx, hosts[1].PeerURL())
		return err
	})
	hosts[1].Start(append(hosts[1].IdentityFlags(),
		"--initial-cluster-state=existing", "--initial-cluster="+cluster.InitialCluster(hosts...))...)
	lab.WaitFor("the learner to follow", func(context.Context) error {
		for _, c := range w.look().Clusters {
			if m := w.member(c, hosts[1].PeerURL()); m.Learner && m.Started() {
				return differs("following", m.Health.Following, true)
			}
		}
		return errors.New("there is no started learner")
	})
	hosts[1].Freeze()
	w.sees("a frozen learner", func(c joiner.Cluster) error {
		if m := w.member(c, hosts[1].PeerURL()); m.Health.Following || m.Health.Reached != "" {
			return fmt.Errorf("it is seen as %+v", m.Health)
		}
		return healthyAt(c, hosts[0])
	})
}

// TestEtcdAPISecure wants TLS to every port, and a failure of it to be told
// from silence.
func TestEtcdAPISecure(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			lab.Secure()
			host := lab.Host(version)
			lab.Found(host)
			certs := lab.ClientCerts()
			right := etcdapi.TLSFiles{CA: certs.CA, Cert: certs.Cert, Key: certs.Key}
			nobody := etcdapi.TLSFiles{CA: certs.CA}
			distrust := etcdapi.TLSFiles{Cert: certs.Cert, Key: certs.Key}

			w := watcher{t, lab, newAPI(t, etcdapi.Config{Client: right}), host.PeerURL()}
			w.wantHealthy(host)
			w.api = newAPI(t, etcdapi.Config{Client: nobody, Peer: right})
			w.lab.WaitFor("the peer port only", func(context.Context) error {
				if s := w.look(); len(s.Clusters) > 0 || len(s.Views) != 1 || s.Views[0].From != host.PeerURL() {
					return fmt.Errorf("seen: %+v", s)
				}
				return nil
			})
			w.wantFailure("TLS failure", host.ClientURL())
			w.api = newAPI(t, etcdapi.Config{Client: distrust, Peer: nobody})
			w.wantFailure("TLS failure", host.ClientURL(), host.PeerURL())
		})
	}
}

// TestEtcdAPIWithoutHTTP asks client ports that speak gRPC only: all but the
// leader's progress is there, and it is said why that is not.
func TestEtcdAPIWithoutHTTP(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS=%t", secure), func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			var config etcdapi.Config
			if secure {
				lab.Secure()
				certs := lab.ClientCerts()
				config.Client = etcdapi.TLSFiles{CA: certs.CA, Cert: certs.Cert, Key: certs.Key}
			}
			host := lab.Host("3.6")
			host.Start(append(host.IdentityFlags(), "--initial-cluster="+cluster.InitialCluster(host),
				"--listen-client-http-urls=http://"+host.Addr+":2378")...)
			lab.WaitHealthy(1, host)
			w := watcher{t, lab, newAPI(t, config), host.PeerURL()}
			lab.WaitFor("the cluster to be seen by gRPC", func(context.Context) error {
				s := w.look()
				if len(s.Clusters) != 1 || s.Clusters[0].API != "v3" || s.Clusters[0].From != host.ClientURL() {
					return fmt.Errorf("no cluster by gRPC in %+v", s)
				}
				c := s.Clusters[0]
				m := w.member(c, host.PeerURL())
				if !strings.Contains(c.NoProof, "/debug/vars") || m.Health.Following || m.Health.Reached == "" || !c.Version.Known() || !m.Version.Known() {
					return fmt.Errorf("cluster %+v", c)
				}
				return nil
			})
		})
	}
}
