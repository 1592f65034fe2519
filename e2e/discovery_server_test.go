package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// discoveryVersions are the etcds with a discovery client for the v2 protocol;
// 3.7 has none any more.
func discoveryVersions() []string { return []string{"2.3", "3.4", "3.5", "3.6"} }

// TestDiscoveryServerFounds has plain etcds, all at once, found a cluster with
// nothing but the URL of our own service.
func TestDiscoveryServerFounds(t *testing.T) {
	t.Parallel()
	for _, version := range discoveryVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			url := lab.StartDiscovery().NewToken(3)
			hosts := lab.Hosts(3, version)
			for _, h := range hosts {
				startDiscovering(h, url)
			}
			lab.WaitHealthy(3, hosts...)
			hosts[0].Put("key", "value")
			if got := hosts[2].Get("key"); got != "value" {
				t.Errorf("got %q", got)
			}
			checkFull(t, lab, url, version)
			checkFounderLostItsDisk(t, hosts[1], url)
			waitRegistered(lab, url, 3)
		})
	}
}

// checkFull wants an etcd too many to be sent away without a place.
func checkFull(t *testing.T, lab *cluster.Lab, url, version string) {
	t.Helper()
	late := lab.Host(version)
	startDiscovering(late, url)
	if code := late.WaitExit(); code != 1 || !strings.Contains(late.Log(), "cluster is full") {
		t.Errorf("an etcd too many: exit code %d", code)
	}
}

// checkFounderLostItsDisk wants the place of a founder to be taken for its
// former self too.
func checkFounderLostItsDisk(t *testing.T, founder *cluster.Host, url string) {
	t.Helper()
	founder.Kill()
	founder.Wipe()
	startDiscovering(founder, url)
	if code := founder.WaitExit(); code != 1 || !strings.Contains(founder.Log(), "registered with discovery service") {
		t.Errorf("a founder without its disk: exit code %d", code)
	}
}

// TestDiscoveryServerRestarts ends the service twice while etcds wait in it,
// once in order and once not: they find the others all the same.
func TestDiscoveryServerRestarts(t *testing.T) {
	t.Parallel()
	for _, version := range discoveryVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			service := lab.StartDiscovery()
			url := service.NewToken(3)
			hosts := lab.Hosts(3, version)
			// Start replaces the process, so each is looked up when it is ended.
			stop := func() error { return service.TryStop() }
			kill := func() error { return service.TryKill() }
			for i, end := range []func() error{stop, kill} {
				startDiscovering(hosts[i], url)
				waitRegistered(lab, url, i+1)
				waitLogged(lab, hosts[i], "waiting for")
				if err := end(); err != nil {
					t.Fatal(err)
				}
				service.Start()
				waitRegistered(lab, url, i+1)
			}
			startDiscovering(hosts[2], url)
			lab.WaitHealthy(3, hosts...)
		})
	}
}

func startDiscovering(h *cluster.Host, url string) {
	// The fallback of 2.3 to 3.5 would make an etcd too many a proxy.
	h.Start(append(h.IdentityFlags(), "--discovery="+url, "--discovery-fallback=exit")...)
}

func waitRegistered(lab *cluster.Lab, url string, n int) {
	lab.WaitFor(fmt.Sprintf("%d registered members", n), func(ctx context.Context) error {
		names, err := registered(ctx, url)
		if err == nil && len(names) != n {
			err = fmt.Errorf("registered: %q", names)
		}
		return err
	})
}

// registered lists what is under a token.
func registered(ctx context.Context, url string) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var answer struct {
		Node struct{ Nodes []struct{ Value string } }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read %s: %s: %w", url, res.Status, err)
	}
	var values []string
	for _, n := range answer.Node.Nodes {
		values = append(values, n.Value)
	}
	return values, nil
}

// waitLogged waits until the host's etcd has said something.
func waitLogged(lab *cluster.Lab, h *cluster.Host, text string) {
	lab.WaitFor(fmt.Sprintf("%q in the log of %s", text, h.Name), func(context.Context) error {
		if !strings.Contains(h.Log(), text) {
			return fmt.Errorf("not there")
		}
		return nil
	})
}
