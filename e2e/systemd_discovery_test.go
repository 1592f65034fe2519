package e2e

import (
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
	})
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
