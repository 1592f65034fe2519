package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// TestSkew is every etcd in front of a cluster of every other: it joins, or it
// is refused before it can do harm (etcd itself lets a 3.6 into a 3.4 cluster,
// and the old members die of it for good).
func TestSkew(t *testing.T) {
	t.Parallel()
	for _, old := range etcds.Versions() {
		t.Run(etcds.Minor(old)+"/refused", func(t *testing.T) { skewRefused(t, old) })
		for _, joiner := range etcds.Versions() {
			if fits(old, joiner) {
				t.Run(fmt.Sprintf("%s/joined by %s", etcds.Minor(old), etcds.Minor(joiner)), func(t *testing.T) {
					skewJoins(t, old, joiner)
				})
			}
		}
	}
}

// fits is the matrix of what works, as measured.
func fits(old, joiner string) bool {
	return map[string]bool{
		"2.3 2.3": true,
		"3.4 3.4": true, "3.4 3.5": true,
		"3.5 3.5": true, "3.5 3.6": true,
		"3.6 3.6": true, "3.6 3.7": true,
		"3.7 3.7": true,
	}[etcds.Minor(old)+" "+etcds.Minor(joiner)]
}

// skewRefused sends everybody who does not fit to one cluster, which has room.
func skewRefused(t *testing.T, old string) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(2, old)
	s.lab.Found(hosts...)
	s.unchanged(hosts[0], func() {
		for _, joiner := range etcds.Versions() {
			if !fits(old, joiner) {
				s.want(s.elastic(s.lab.Host(joiner), at(hosts)), 78, "version-skew")
			}
		}
	})
	s.lab.WaitHealthy(2, hosts...)
	s.wantQuorum(hosts...)
}

// TestSkewListed: an entry that an admin made, or a run before this host was
// upgraded, is no leave to start an etcd that the members die of.
func TestSkewListed(t *testing.T) {
	t.Parallel()
	for _, old := range []string{"3.4", "3.5"} {
		t.Run(old, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, old)
			s.lab.Found(hosts...)
			fresh := s.lab.Host("3.7")
			hosts[0].Add(fresh.PeerURL())
			s.unchanged(hosts[0], func() {
				for _, strategy := range []string{"prepare", "add", "replace", "prune"} {
					s.want(s.elastic(fresh, at(hosts), "-join-strategy="+strategy), 78, "version-skew")
				}
			})
			s.wantQuorum(hosts...)
		})
	}
}

// TestDowngrade: while a downgrade is enabled nobody joins, as an etcd of
// today's version would not start any more once the others are older.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	for version, to := range map[string]string{"3.6": "3.5.0", "3.7": "3.6.0"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			downgrade := func(action clientv3.DowngradeAction) {
				s.lab.WaitFor("etcd to take a downgrade", func(ctx context.Context) error {
					_, err := hosts[0].Client().Downgrade(ctx, action, to)
					if errors.Is(err, rpctypes.ErrDowngradeInProcess) || errors.Is(err, rpctypes.ErrNoInflightDowngrade) {
						return nil // an earlier try got no answer
					}
					return err
				})
			}
			fresh := s.lab.Host(version)
			downgrade(clientv3.DowngradeEnable)
			s.unchanged(hosts[0], func() {
				s.wantWait(s.start(fresh, at(hosts), "-cluster-size=5"), "version-downgrade")
			})
			downgrade(clientv3.DowngradeCancel)
			s.boot("join-listed", fresh, at(hosts), "-cluster-size=5")
			s.lab.WaitHealthy(4, append(hosts, fresh)...)
		})
	}
}

// TestUnlistable: etcd lets a member's URL in that tears its own list apart.
func TestUnlistable(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.lab.Found(hosts...)
	id := hosts[0].Add("http://a,b=c:2380")
	s.unchanged(hosts[0], func() {
		s.want(s.elastic(s.lab.Host("3.6"), at(hosts), "-cluster-size=7"), 78, "member-unlistable")
	})
	hosts[0].Remove(id)
}

func skewJoins(t *testing.T, old, joiner string) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(2, old)
	s.lab.Found(hosts...)
	fresh := s.lab.Host(joiner)
	s.boot("join-listed", fresh, at(hosts))
	hosts = append(hosts, fresh)
	s.lab.WaitHealthy(3, hosts...)
	s.wantQuorum(hosts...)
	// The old members are alive after a restart, too: what an etcd dies of
	// may be in its log.
	hosts[0].Kill()
	hosts[0].Resume()
	s.lab.WaitHealthy(3, hosts...)
}
