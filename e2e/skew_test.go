package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/e2e/cluster"
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

// TestSkewResume: a member whose etcd was upgraded by two minors at once, before
// a reboot, is not let in among members that would die of it, whether they have
// a quorum or not. One minor at a time goes on.
func TestSkewResume(t *testing.T) {
	t.Parallel()
	for old, steps := range map[string][2]string{"3.4": {"3.5", "3.6"}, "3.5": {"3.6", "3.7"}} {
		t.Run(old, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, old)
			s.found(hosts...)
			s.waitVersion(hosts[0], old)
			hosts[2].Stop()
			hosts[2].Version = steps[1]
			s.want(s.elastic(hosts[2]), 78, "version-skew")
			hosts[1].Stop()
			s.want(s.elastic(hosts[2]), 78, "version-skew")
			s.boot(resume, hosts[1])
			s.lab.WaitHealthy(3, hosts[:2]...)
			s.wantQuorum(hosts[:2]...)
			hosts[2].Version = steps[0]
			s.boot("resume-member", hosts[2])
			s.lab.WaitHealthy(3, hosts...)
			s.wantQuorum(hosts...)
		})
	}
}

// waitVersion waits until a cluster has agreed on a version.
func (s *site) waitVersion(h *cluster.Host, minor string) {
	s.Helper()
	s.lab.WaitFor("the cluster to be "+minor, func(ctx context.Context) error {
		v, err := clusterVersion(ctx, h)
		if err == nil && !strings.HasPrefix(v, minor+".") {
			err = fmt.Errorf("it is %q", v)
		}
		return err
	})
}

func clusterVersion(ctx context.Context, h *cluster.Host) (string, error) {
	body, err := get(ctx, h.ClientURL()+"/version")
	if err != nil {
		return "", err
	}
	var v struct {
		Cluster string `json:"etcdcluster"`
	}
	return v.Cluster, json.Unmarshal([]byte(body), &v)
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
