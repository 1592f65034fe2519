package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/machine"
)

// TestSystemdDiscovery: contrib's units serve, by the service's own socket and
// by systemd's, with a watchdog, and keep a token over a restart.
func TestSystemdDiscovery(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		m := f.install()
		for _, unit := range []string{"elastic-etcd-discovery.service", "elastic-etcd-discovery.socket"} {
			f.copy(m, "../contrib/systemd/usr/lib/systemd/system/"+unit, "/etc/systemd/system/"+unit)
		}
		m.Boot()
		m.Run("systemctl", "start", "elastic-etcd-discovery.service")
		f.tokenIsMade(m)
		m.Run("systemctl", "stop", "elastic-etcd-discovery.service")
		m.Run("systemctl", "start", "elastic-etcd-discovery.socket")
		f.tokenIsMade(m) // by a service that the first request starts
		m.Run("systemctl", "restart", "elastic-etcd-discovery.service")
		f.tokenIsMade(m)
		f.damagedFileIsLeft(m)
	})
}

// damagedFileIsLeft: the service waits for a human, and is not started again
// and again.
func (f *fleet) damagedFileIsLeft(m *machine.Machine) {
	f.Helper()
	m.Run("systemctl", "stop", "elastic-etcd-discovery.socket", "elastic-etcd-discovery.service")
	m.Run("truncate", "--size=8192", "/var/lib/private/elastic-etcd-discovery/discovery.db")
	_, _ = m.Try("systemctl", "start", "elastic-etcd-discovery.service") // before 254 it waits for the restarts
	state := m.Run("systemctl", "show", "-p", "ActiveState,ExecMainStatus,NRestarts", "elastic-etcd-discovery.service")
	if got := strings.Fields(state); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"ActiveState=failed", "ExecMainStatus=78", "NRestarts=0"}) {
		f.Fatalf("a service with a damaged file is %q", got)
	}
}

func (f *fleet) tokenIsMade(m *machine.Machine) {
	f.Helper()
	if out := m.Run("elastic-etcd", "discovery", "new"); !strings.HasPrefix(out, "http://127.0.0.1:8087/") {
		f.Fatalf("discovery new printed %q", out)
	}
	if state := strings.TrimSpace(m.Run("systemctl", "show", "-P", "StatusText", "elastic-etcd-discovery.service")); !strings.HasPrefix(state, "serving at ") {
		f.Fatalf("its status is %q", state)
	}
}
