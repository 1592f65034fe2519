package e2e

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
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
		f.keyOfRootIsServed(m)
		f.damagedFileIsLeft(m)
	})
}

var credentialLine = regexp.MustCompile(`(?m)^#((?:LoadCredential|Environment)=.*[=:/](?:cert|key|discovery(?:-key)?\.pem))$`)

// keyOfRootIsServed: the lines that the unit has as comments hand a key over that
// only root may read.
func (f *fleet) keyOfRootIsServed(m *machine.Machine) {
	f.Helper()
	lab := cluster.New(f.T)
	lab.Secure()
	certs := lab.Certs("discovery", "127.0.0.1")
	for from, to := range map[string]string{certs.CA: "ca.pem", certs.Cert: "discovery.pem", certs.Key: "discovery-key.pem"} {
		pem, err := os.ReadFile(from)
		if err != nil {
			f.Fatal(err)
		}
		put(m, "/etc/elastic-etcd/"+to, string(pem))
		m.Run("chmod", "600", "/etc/elastic-etcd/"+to)
	}
	const unit = "elastic-etcd-discovery.service"
	lines := []string{"[Service]"}
	for _, line := range credentialLine.FindAllStringSubmatch(m.Run("cat", "/etc/systemd/system/"+unit), -1) {
		lines = append(lines, line[1])
	}
	dropIn := strings.Join(lines, "\n") + "\n"
	if len(lines) != 5 {
		f.Fatalf("for certificate and key the unit has %q", dropIn)
	}
	if systemdVersion(f.T, m) < 250 {
		dropIn = strings.ReplaceAll(dropIn, "%d", "/run/credentials/"+unit)
	}
	put(m, "/etc/systemd/system/"+unit+".d/tls.conf", dropIn)
	m.Run("systemctl", "daemon-reload")
	m.Run("systemctl", "restart", unit)
	out := m.Run("elastic-etcd", "discovery", "new", "--server=https://127.0.0.1:8087", "--cacert=/etc/elastic-etcd/ca.pem")
	if !strings.HasPrefix(out, "https://127.0.0.1:8087/") {
		f.Fatalf("discovery new printed %q", out)
	}
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
