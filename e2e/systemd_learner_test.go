package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/machine"
)

const promotionUnit = "elastic-etcd-promote-etcd.service"

// TestSystemdLearner: a second host joins as a learner, and the wiring makes it
// a voter in a unit of its own, which ends, also after a reboot with nothing to
// do.
func TestSystemdLearner(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		_, second := f.oneAndSecond()
		f.wantVoters(second, 2)
		f.promotionEnds(second)
		second.Reboot()
		waitActive(second)
		f.promotionEnds(second)
		f.wantVoters(second, 2)
		if failed := second.Run("systemctl", "list-units", "--failed", "--no-legend", "elastic-etcd*", "etcd*"); failed != "" {
			f.Fatalf("failed units: %s", failed)
		}
	})
}

// oneAndSecond boots a cluster of one, and a host that joins it.
func (f *fleet) oneAndSecond() (one, second *machine.Machine) {
	f.Helper()
	token := f.token(1)
	one = f.founders(token, 1)[0]
	second = f.host(token, "ELASTIC_ETCD_CLUSTER_SIZE=2")
	second.Boot()
	waitActive(second)
	return one, second
}

// promotionEnds waits for the end of this boot's promotion. Its record is found
// by its fields: of a process that has ended, old journals do not know the unit.
func (f *fleet) promotionEnds(m *machine.Machine) {
	f.Helper()
	m.WaitFor("the promotion to end", promotionUnit, func() error {
		if state := showOf(m, promotionUnit, "ActiveState"); state != "inactive" {
			return errors.New("it is " + state)
		}
		said, _ := m.Try("journalctl", "-b", "--no-pager", "-o", "cat", "MESSAGE_ID=5f2a6c31d0b94e0c8a3c7e914d2f6b08", "ELASTIC_ETCD_REASON=promote-done")
		if !strings.Contains(said, "is a voter") {
			return errors.New("it said " + said)
		}
		return nil
	})
}

// TestSystemdPromotionGoesOn: a promotion whose time is up is tried again until
// it is done. It ends with etcd, which it does not start.
func TestSystemdPromotionGoesOn(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		first, second := f.oneAndSecond()
		f.promotionEnds(second)

		first.PowerOff()
		promote := []string{"elastic-etcd", "promote", "--no-block", "--unit=etcd.service", "--timeout=4s"}
		if said := second.Run(promote...); !strings.Contains(said, promotionUnit) {
			f.Fatalf("it does not say where it goes on: %s", said)
		}
		second.WaitFor("the promotion to be tried again", promotionUnit, func() error {
			if restarts, state := showOf(second, promotionUnit, "NRestarts"), showOf(second, promotionUnit, "ActiveState"); restarts == "0" || state != "active" {
				return fmt.Errorf("it is %s after %s restarts", state, restarts)
			}
			return nil
		})
		f.endsWithEtcd(second, promote)

		first.Boot()
		f.start(second)
		waitActive(first)
		f.promotionEnds(second)
	})
}

// endsWithEtcd stops the etcd of a host that promotes.
func (f *fleet) endsWithEtcd(m *machine.Machine, promote []string) {
	f.Helper()
	m.Run("systemctl", "stop", "etcd.service")
	if state := showOf(m, promotionUnit, "ActiveState"); state != "inactive" {
		f.Fatalf("without etcd, the promotion is %s", state)
	}
	out, err := m.Try(promote...)
	if err == nil || !strings.Contains(err.Error(), "exit status 75") || !strings.Contains(out, "etcd.service does not run") {
		f.Fatalf("without etcd, the promotion ends with %v: %s", err, out)
	}
	if state := show(m, "ActiveState"); state != "inactive" {
		f.Fatalf("the promotion started etcd: it is %s", state)
	}
}

// wantVoters waits until so many members vote.
func (f *fleet) wantVoters(m *machine.Machine, n int) {
	f.Helper()
	m.WaitFor(fmt.Sprintf("%d voters", n), "etcd.service", func() error {
		out, _ := m.Try("sh", "-c", "elastic-etcd plan -o json -name=looker -data-dir=/nonexistent -etcd-version=any -join-strategy=prepare -timeout=5s -dead-after=1s "+
			"-initial-advertise-peer-urls=http://10.99.0.254:2380 -endpoints=http://"+m.Addr+":2379 2>/dev/null")
		var seen struct {
			Observation struct {
				Clusters []struct{ Members []struct{ Learner bool } }
			}
		}
		if err := json.Unmarshal([]byte(out), &seen); err != nil || len(seen.Observation.Clusters) != 1 {
			return fmt.Errorf("no cluster with a quorum in %s: %w", out, err)
		}
		voters := 0
		for _, member := range seen.Observation.Clusters[0].Members {
			if !member.Learner {
				voters++
			}
		}
		if voters != n {
			return fmt.Errorf("there are %d", voters)
		}
		return nil
	})
}
