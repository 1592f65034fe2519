package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/netns"
)

// TestFar: a member across an ocean, 380 ms away, takes part as all others do.
func TestFar(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.6"} {
		t.Run(version, func(t *testing.T) {
			s, n := newNetSite(t, 3)
			hosts, fresh := s.lab.Hosts(3, version), s.lab.Host(version)
			s.found(hosts...)
			leader := s.lab.WaitLeader(hosts...)
			far := without(hosts, leader)[0]
			n.Around(n.Port(far), netns.Link{Delay: 190 * time.Millisecond}, n.Observer)
			s.lab.WaitFor("all members to take part", func(context.Context) error {
				if r := s.statusRun(leader, "text", at(hosts)); r.Code != 0 {
					return fmt.Errorf("status: %s", r)
				}
				return nil
			})
			s.boot("join-listed", fresh, at(hosts), "-cluster-size=4")
			s.lab.WaitHealthy(4, append(hosts, fresh)...)
		})
	}
}
