package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// TestClocks: no host has the right time, and no two have the same. They found
// a cluster, come back, take the place of a dead one, and are refused, as if
// they had; a client writes all the while.
func TestClocks(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.VersionsWithClock() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.wrongHosts(version, time.Hour, -time.Hour, 20*365*24*time.Hour)
			s.found(hosts...)
			s.wantWrongClocks(hosts[2], hosts[1])
			load := s.startLoad(hosts)
			hosts[0].Kill()
			s.boot(resume, hosts[0])
			s.lab.WaitHealthy(3, hosts...)
			for _, clock := range []time.Duration{-24 * time.Hour, 90 * time.Second} {
				leader, others := s.victim(hosts, true)
				leader.Kill()
				fresh := s.wrongHosts(version, clock)[0]
				s.boot("join-listed", fresh, at(others))
				hosts = append(others, fresh)
				load.use(hosts)
				s.lab.WaitHealthy(3, hosts...)
			}
			s.oneMore(version, hosts)
			load.end(hosts...)
		})
	}
}

// wrongHosts makes a host for each clock.
func (s *site) wrongHosts(version string, clocks ...time.Duration) []*cluster.Host {
	s.Helper()
	hosts := s.lab.Hosts(len(clocks), version)
	for i, h := range hosts {
		h.Clock = clocks[i]
	}
	return hosts
}

// oneMore lets hosts race for one place: one gets it, and the others are told
// to come again, whatever time they have. In etcd 2.3 an intent lasts as long
// as the servers' clocks agree; then another host may take the entry that has
// not been started for its own, as one that was left behind.
func (s *site) oneMore(version string, hosts []*cluster.Host) {
	s.Helper()
	racers := s.wrongHosts(version, 0, -time.Hour, time.Hour, 48*time.Hour)
	var runs []*cluster.Running
	for _, h := range racers {
		runs = append(runs, s.start(h, at(hosts), "-cluster-size=4", "-dead-after=3s", "-timeout=20s"))
	}
	joined := 0
	for _, run := range runs {
		switch r := run.Wait(); r.Code {
		case 0:
			joined++
		case 75:
		default:
			s.Fatalf("a host neither joined nor was told to try again: %s", r)
		}
	}
	intents := !strings.HasPrefix(version, "2.")
	if n := len(hosts[0].Members()); joined < 1 || intents && joined > 1 || n != 4 {
		s.Fatalf("%d of %d hosts joined, and there are %d members of 4", joined, len(racers), n)
	}
}

// wantWrongClocks sees what time etcd and elastic-etcd write into their logs on
// a host that is years ahead, and on one that is an hour behind.
func (s *site) wantWrongClocks(ahead, behind *cluster.Host) {
	s.Helper()
	if year := time.Now().Add(ahead.Clock).Format("2006-"); !strings.Contains(ahead.Log(), year) {
		s.Fatalf("the etcd of %s does not live in %s: %s", ahead.Name, year, ahead.Log())
	}
	r := s.elastic(behind) // whose etcd runs
	said, err := time.Parse(time.TimeOnly, r.Stderr[:min(len(r.Stderr), len(time.TimeOnly))])
	is, _ := time.Parse(time.TimeOnly, time.Now().Add(behind.Clock).Format(time.TimeOnly))
	if late := (is.Sub(said) + 24*time.Hour) % (24 * time.Hour); err != nil || late > time.Minute {
		s.Fatalf("it is %s on %s, and elastic-etcd says %s", is.Format(time.TimeOnly), behind.Name, r)
	}
}
