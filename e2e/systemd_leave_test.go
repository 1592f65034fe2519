package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/machine"
)

// leaveAsDocumented is what docs/systemd.md tells the admin to type first.
const leaveAsDocumented = "(set -a; . /etc/elastic-etcd/elastic-etcd.conf; elastic-etcd leave --unit=etcd.service)"

// TestSystemdLeave takes hosts out for good, first the leader, then another
// one. Their etcd ends by itself, systemd does not start it again, and it does
// not come back with a reboot, but when it is enabled again.
func TestSystemdLeave(t *testing.T) {
	f := newFleet(t, "/")
	hosts := f.founders(f.token(3), 3)
	f.writeKey(hosts[0])
	var gone *machine.Machine
	for _, role := range []string{"leader", "voter"} {
		gone = f.inRole(hosts, role)
		hosts = slices.DeleteFunc(hosts, func(h *machine.Machine) bool { return h == gone })
		f.leaves(gone)
		f.wantHealthy(hosts)
		f.wantKey(hosts[0])
		f.staysAway(gone)
		f.wantHealthy(hosts)
	}
	gone.Run("systemctl", "enable", "--now", "etcd.service")
	f.wantHealthy([]*machine.Machine{hosts[0], gone})
}

// leaves has a host leave, and waits for the end of its etcd.
func (f *fleet) leaves(m *machine.Machine) {
	f.Helper()
	if said := m.Shell(leaveAsDocumented); !strings.Contains(said, "disable its etcd") {
		f.Fatalf("it does not say what to do next: %s", said)
	}
	m.WaitFor("the removed etcd to end", "etcd.service", func() error {
		if state := show(m, "ActiveState"); state != "inactive" {
			return errors.New("it is " + state)
		}
		return nil
	})
	if result, restarts := show(m, "Result"), show(m, "NRestarts"); result != "success" || restarts != "0" {
		f.Fatalf("etcd ended with %s after %s restarts", result, restarts)
	}
}

// staysAway disables etcd, as the admin is told to.
func (f *fleet) staysAway(m *machine.Machine) {
	f.Helper()
	m.Run("systemctl", "disable", "--now", "etcd.service")
	m.Run("test", "-d", "/var/lib/etcd/default/member")
	m.Reboot()
	m.WaitFor("the machine to boot", "multi-user.target", func() error {
		_, err := m.Try("systemctl", "is-active", "multi-user.target")
		return err
	})
	if state := show(m, "ActiveState"); state != "inactive" {
		f.Fatalf("after a reboot, etcd is %s", state)
	}
}

// clusterStatus is what matters here of elastic-etcd status.
type clusterStatus struct {
	Voters, Healthy int
	Members         []struct{ Name, Role string }
}

// status waits until a cluster answers.
func (f *fleet) status(m *machine.Machine) clusterStatus {
	f.Helper()
	var s clusterStatus
	m.WaitFor("the cluster to answer", "etcd.service", func() error {
		out, _ := m.Try("sh", "-c", "elastic-etcd status -o json -endpoints=http://"+m.Addr+":2379 2>/dev/null")
		return json.Unmarshal([]byte(out), &s)
	})
	return s
}

// inRole finds the first of these hosts that has a role.
func (f *fleet) inRole(hosts []*machine.Machine, role string) *machine.Machine {
	f.Helper()
	for _, member := range f.status(hosts[0]).Members {
		at := slices.IndexFunc(hosts, func(h *machine.Machine) bool { return h.Name == member.Name })
		if at >= 0 && member.Role == role {
			return hosts[at]
		}
	}
	f.Fatalf("nobody is a %s", role)
	return nil
}

// wantHealthy: these hosts are the cluster, and all of them follow.
func (f *fleet) wantHealthy(hosts []*machine.Machine) {
	f.Helper()
	f.wantMembers(hosts[0], hosts...)
	hosts[0].WaitFor("a healthy cluster", "etcd.service", func() error {
		if s := f.status(hosts[0]); s.Voters != len(hosts) || s.Healthy != len(hosts) {
			return fmt.Errorf("%d of %d voters are healthy", s.Healthy, s.Voters)
		}
		return nil
	})
}

// writeKey and wantKey take base64, as etcd's gateway does.
func (f *fleet) writeKey(m *machine.Machine) {
	f.Helper()
	if out, err := post(m, "/v3/kv/put", `{"key":"a2V5","value":"dmFsdWU="}`); err != nil || !strings.Contains(out, " 200 OK") {
		f.Fatalf("%v: %s", err, out)
	}
}

func (f *fleet) wantKey(m *machine.Machine) {
	f.Helper()
	if out, err := post(m, "/v3/kv/range", `{"key":"a2V5"}`); err != nil || !strings.Contains(out, `"value":"dmFsdWU="`) {
		f.Fatalf("the key is lost: %v: %s", err, out)
	}
}
