package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// TestStandbyUpgraded: the package of a host that stands by is upgraded while
// it waits. What counts is the etcd that it would start.
func TestStandbyUpgraded(t *testing.T) {
	t.Parallel()
	t.Run("too far", func(t *testing.T) {
		s, hosts, run := standby(t, "3.4", "3.5", "3.6")
		s.unchanged(hosts[0], func() {
			hosts[2].Kill()
			s.want(run.Wait(), 78, "version-skew")
		})
		s.wantQuorum(hosts[:2]...)
	})
	t.Run("to the next minor", func(t *testing.T) {
		s, hosts, run := standby(t, "3.5", "3.5", "3.6")
		hosts[2].Kill()
		if r := run.Wait(); r.Code != 0 {
			t.Fatalf("not joined: %s", r)
		}
		s.wantQuorum(hosts[:2]...)
	})
}

// standby is a host that waits for a place in a full cluster with one etcd,
// and then has another one.
func standby(t *testing.T, members, first, then string) (*site, []*cluster.Host, *cluster.Running) {
	t.Helper()
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, members)
	s.found(hosts...)
	spare := s.lab.Host(first)
	file := filepath.Join(s.lab.Dir(), "etcd")
	install(t, file, first)
	run := s.command("apply", spare, "--root="+t.TempDir(), "--standby", "-etcd-binary="+file)
	s.lab.WaitFor("the host to stand by", logged(run, "reason=full "))
	install(t, file, then)
	return s, hosts, run
}

// install puts an etcd in the place of another one.
func install(t *testing.T, file, version string) {
	t.Helper()
	binary, err := etcds.Binary(version)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, file+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}
