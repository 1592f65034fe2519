package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
)

func TestMain(m *testing.M) { os.Exit(cluster.TestMain(m)) }

// TestHarness drives every etcd through what the harness can do to it.
func TestHarness(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			hosts := lab.Hosts(3, version)
			lab.Found(hosts...)
			hosts[0].Put("key", "value")
			for _, h := range hosts {
				if got := h.Get("key"); got != "value" {
					t.Fatalf("%s: got %q", h.Name, got)
				}
			}
			killAndResume(t, lab, hosts)
			freezeAndThaw(t, lab, hosts)
			stopWipeAndReplace(t, lab, hosts)
		})
	}
}

func killAndResume(t *testing.T, lab *cluster.Lab, hosts []*cluster.Host) {
	t.Helper()
	leader := lab.WaitLeader(hosts...)
	leader.Kill()
	others := without(hosts, leader)
	lab.WaitLeader(others...)
	others[0].Put("key", "without the leader")
	leader.Resume()
	lab.WaitHealthy(3, hosts...)
	if got := leader.Get("key"); got != "without the leader" {
		t.Fatalf("after resume: got %q", got)
	}
}

func freezeAndThaw(t *testing.T, lab *cluster.Lab, hosts []*cluster.Host) {
	t.Helper()
	hosts[1].Freeze()
	others := without(hosts, hosts[1])
	lab.WaitLeader(others...)
	others[0].Put("key", "without the frozen one")
	hosts[1].Thaw()
	lab.WaitHealthy(3, hosts...)
	if got := hosts[1].Get("key"); got != "without the frozen one" {
		t.Fatalf("after thaw: got %q", got)
	}
}

// stopWipeAndReplace does by hand what elastic-etcd is for.
func stopWipeAndReplace(t *testing.T, lab *cluster.Lab, hosts []*cluster.Host) {
	t.Helper()
	id := hosts[0].ClusterID()
	hosts[2].Stop()
	hosts[2].Wipe()
	former, _ := hosts[0].Membership().Of(hosts[2])
	hosts[0].Remove(former.ID)
	if added := hosts[0].Add(hosts[2].PeerURL()); added == former.ID || added == 0 {
		t.Fatalf("added member %x after %x", added, former.ID)
	}
	hosts[2].Start(append(hosts[2].IdentityFlags(),
		"--initial-cluster-state=existing", "--initial-cluster="+cluster.InitialCluster(hosts...))...)
	lab.WaitHealthy(3, hosts...)
	if got := hosts[2].ClusterID(); got != id {
		t.Fatalf("cluster is %x, was %x", got, id)
	}
}

// TestHarnessTLS has clients and peers show certificates.
func TestHarnessTLS(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			lab.Secure()
			hosts := lab.Hosts(3, version)
			lab.Found(hosts...)
			hosts[0].Put("key", "value")
			if got := hosts[2].Get("key"); got != "value" {
				t.Fatalf("got %q", got)
			}
			if res, err := http.Get(hosts[0].ClientURL() + "/version"); err == nil {
				res.Body.Close()
				t.Fatalf("served without a certificate: %s", res.Status)
			}
		})
	}
}

// TestHarnessExit sees how an etcd ends that cannot start.
func TestHarnessExit(t *testing.T) {
	t.Parallel()
	lab := cluster.New(t)
	host := lab.Host("3.7")
	host.StartWith("--name=a  --initial-cluster=b=" + host.PeerURL() + "\n")
	if code := host.WaitExit(); code != 1 {
		t.Fatalf("exit code %d", code)
	}
	if !strings.Contains(host.Log(), "couldn't find local name") {
		t.Fatalf("log: %s", host.Log())
	}
}

func without(hosts []*cluster.Host, gone *cluster.Host) []*cluster.Host {
	var rest []*cluster.Host
	for _, h := range hosts {
		if h != gone {
			rest = append(rest, h)
		}
	}
	return rest
}
