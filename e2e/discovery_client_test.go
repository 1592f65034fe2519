package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/discovery"
	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/joiner"
)

// TestDiscoveryClient has a host that registers with our client and two plain
// etcds found a cluster through a real etcd 2.3 as the discovery service.
func TestDiscoveryClient(t *testing.T) {
	t.Parallel()
	for _, version := range discoveryVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			registry := lab.Host("2.3")
			lab.Found(registry)
			u := registry.ClientURL() + "/v2/keys/_etcd/registry/token"
			source := newSource(t, u)
			if d := source.Look(t.Context()); !d.Missing {
				t.Fatalf("before there is a token: %+v", d)
			}
			putSize(t, u, 3)
			hosts := lab.Hosts(3, version)
			checkRegister(t, source, hosts[0], u)
			startDiscovering(hosts[1], u)
			startDiscovering(hosts[2], u)
			foundFrom(lab, waitEntries(lab, source, 3), hosts[0])
			lab.WaitHealthy(3, hosts...)
		})
	}
}

func newSource(t *testing.T, u string) *discovery.V2 {
	t.Helper()
	source, err := discovery.NewV2(u, discovery.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func putSize(t *testing.T, u string, size int) {
	t.Helper()
	form := url.Values{"value": {fmt.Sprint(size)}}.Encode()
	req, err := http.NewRequest(http.MethodPut, u+"/_config/size", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("put the size: %s, %v", resp.Status, err)
	}
}

// checkRegister registers a host, again, and with something else.
func checkRegister(t *testing.T, source *discovery.V2, h *cluster.Host, u string) {
	t.Helper()
	mine := joiner.Registration(h.Name, []string{h.PeerURL()}, u)
	for range 2 {
		if err := source.Register(t.Context(), mine); err != nil {
			t.Fatal(err)
		}
	}
	if err := source.Register(t.Context(), joiner.Entry{Key: mine.Key, Value: "other"}); err == nil {
		t.Error("another value was taken")
	}
	d := source.Look(t.Context())
	if d.Error != "" || d.Size != 3 || len(d.Entries) != 1 || d.Entries[0] != mine {
		t.Errorf("after one registered: %+v", d)
	}
}

func waitEntries(lab *cluster.Lab, source *discovery.V2, n int) (d joiner.Discovery) {
	lab.WaitFor("registrations", func(ctx context.Context) error {
		if d = source.Look(ctx); len(d.Entries) != n {
			return fmt.Errorf("got %+v", d)
		}
		return nil
	})
	return d
}

// foundFrom starts etcd with what our client read, which must be what the
// plain etcds read.
func foundFrom(lab *cluster.Lab, d joiner.Discovery, h *cluster.Host) {
	values := make([]string, len(d.Entries))
	for i, e := range d.Entries {
		values[i] = e.Value
	}
	h.Start(append(h.IdentityFlags(), "--initial-cluster="+strings.Join(values, ","),
		"--initial-cluster-state=new", "--initial-cluster-token="+d.Token)...)
}

// TestDiscoveryClientOfOurService is the client with the service of the same
// binary.
func TestDiscoveryClientOfOurService(t *testing.T) {
	t.Parallel()
	lab := cluster.New(t)
	u := lab.StartDiscovery().NewToken(3)
	checkRegister(t, newSource(t, u), lab.Host("3.6"), u)
	unknown := u[:len(u)-4] + "0000"
	if d := newSource(t, unknown).Look(t.Context()); !d.Missing {
		t.Errorf("an unknown token: %+v", d)
	}
}

// TestSourcesRegistryBehind: a member of the registry that is behind, and
// without a quorum, knows neither of a token nor of who registered. Nobody
// takes its word for it: not for a fresh place, and not for a wrong token.
func TestSourcesRegistryBehind(t *testing.T) {
	s := newSourced(t)
	registry := s.lab.Hosts(3, "2.3")
	s.lab.Found(registry...)
	v := &verbs{sourced: s}
	through := func(i int, token string) string {
		return registry[i].ClientURL() + "/v2/keys/_etcd/registry/" + path.Base(token)
	}
	known := v.made("--v2", "--server", registry[2].ClientURL())
	v.made("--v2", "--server", registry[2].ClientURL()) // and it knows that the former one is committed
	registry[2].Kill()
	s.lab.WaitFor("the registry to have a leader again", func(ctx context.Context) error {
		return registry[0].TryPut(ctx, "led", "anew")
	})
	later := v.made("--v2", "--server", registry[0].ClientURL())
	v.byURL(through(0, known))
	for i, name := range []string{"a", "b", "c"} {
		v.put(fmt.Sprint(i+1), fmt.Sprintf("%s=http://127.99.99.%d:2380", name, i+1))
	}
	registry[0].Freeze()
	registry[1].Freeze()
	registry[2].Resume()
	s.answers(registry[2])
	for _, token := range []string{known, later} {
		s.source = []string{"-discovery=" + through(2, token)}
		s.wantWait(s.ask(s.lab.Host("3.6")), "discovery-unreachable")
	}
}
