package e2e

import (
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestSlowDisk: a member that takes half a second for each entry of the log is
// behind, and not dead.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.5", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s, n := newNetSite(t, 3)
			needDisks(t)
			if err := cluster.CanSlowDisk(); err != nil {
				t.Skipf("NOT TESTED: a slow disk needs cgroups of version 1: %v", err)
			}
			hosts := s.lab.Hosts(3, version)
			slow := hosts[2]
			n.Disk(slow)
			s.lab.Found(hosts...)
			load := s.startLoad(hosts[:2])
			s.unchanged(hosts[0], func() {
				n.SlowDisk(slow, 20)
				defer n.SlowDisk(slow, 0)
				for range 3 {
					s.refusedNow(hosts[:2])
				}
			})
			s.lab.WaitHealthy(3, hosts...)
			load.end(hosts...)
			slow.Kill()
			n.EndDisk(slow)
		})
	}
}
