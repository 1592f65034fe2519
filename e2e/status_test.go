package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// seenStatus is what status -o json shows.
type seenStatus struct {
	Voters, Healthy, Tolerance int
	Leader                     string
	Members                    []struct {
		ID, Name, Role   string
		Self, Started    bool
		Healthy          bool
		Reached, Version string
		Lag              *uint64
		DBSize           int64 `json:"db_size"`
		Alarms           []string
	}
}

func (s *site) status(h *cluster.Host, more ...string) (seenStatus, cluster.Result) {
	s.Helper()
	flags := slices.DeleteFunc(s.flags(h, more...), func(f string) bool { return strings.HasPrefix(f, "-o=") })
	r := s.lab.Elastic(append(append([]string{"status", "-o=json"}, h.IdentityFlags()...), flags...)...)
	var out seenStatus
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil && r.Stdout != "" {
		s.Fatalf("status: %v: %s", err, r)
	}
	return out, r
}

// waitStatus waits for a status: the leader needs a moment to notice things.
func (s *site) waitStatus(h *cluster.Host, code, healthy, tolerance int) seenStatus {
	s.Helper()
	var seen seenStatus
	s.lab.WaitFor("the status to be right", func(context.Context) error {
		var r cluster.Result
		if seen, r = s.status(h); r.Code != code || seen.Healthy != healthy || seen.Tolerance != tolerance {
			return errors.New(r.String())
		}
		return nil
	})
	return seen
}

// TestStatus looks at a cluster in health, with a member that hangs, with one
// that is gone, and without a quorum.
func TestStatus(t *testing.T) {
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			seen := s.waitStatus(hosts[0], 0, 3, 1)
			s.wantHealthyStatus(hosts[0], seen)
			victim := without(hosts, s.lab.WaitLeader(hosts...))[0]
			victim.Freeze()
			s.waitStatus(without(hosts, victim)[0], 3, 2, 0)
			victim.Thaw()
			s.waitStatus(hosts[0], 0, 3, 1)
			victim.Kill()
			s.waitStatus(without(hosts, victim)[0], 3, 2, 0)
			rest := without(hosts, victim)
			rest[0].Kill()
			if version != "2.3.8" { // its leader leads on for ever
				rest[1].WaitNoLeader()
			}
			if _, r := s.status(rest[1]); r.Code != 75 || r.Stdout != "" || !strings.Contains(r.Stderr, "no quorum") {
				t.Fatalf("without a quorum: %s", r)
			}
		})
	}
}

func (s *site) wantHealthyStatus(self *cluster.Host, seen seenStatus) {
	s.Helper()
	leaders := 0
	for _, m := range seen.Members {
		if m.Role == "leader" {
			leaders++
		}
		if !m.Healthy || !m.Started || m.Reached == "" || !strings.HasPrefix(self.Version, m.Version+".") || m.Self != (m.Name == self.Name) {
			s.Fatalf("a healthy member is shown as %+v", m)
		}
		if !strings.HasPrefix(self.Version, "2.") && m.DBSize == 0 {
			s.Fatalf("the size of its database is not shown: %+v", m)
		}
	}
	if leaders != 1 || len(seen.Members) != 3 {
		s.Fatalf("want three members and one leader: %+v", seen)
	}
}
