package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestDiscoveryServiceOneName: of two plain etcds that register one name at
// the same instant, one ends, and the token still founds a cluster.
func TestDiscoveryServiceOneName(t *testing.T) {
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
		runs = append(runs, h.ElasticStart(s.flags(h, "-name=same", "-timeout=8s")...))
	}
	results := []cluster.Result{runs[0].Wait(), runs[1].Wait()}
	if results[0].Code == 78 {
		results[0], results[1] = results[1], results[0]
	}
	s.want(results[0], 75, "founders-missing")
	s.want(results[1], 78, "name-in-use")
	s.waitRegistered(1)
}
