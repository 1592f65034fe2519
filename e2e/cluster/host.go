package cluster

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// Host is a machine to an etcd: an address with the standard ports, a disk, an
// etcd of some version.
type Host struct {
	Name    string
	Version string
	Addr    string
	DataDir string
	DNSName string // "" = it has none

	// Clock is how far its clock is ahead, or behind, before anything runs
	// on it; 0 = it has the time. The version is one that there is with a
	// clock (etcds.VersionsWithClock).
	Clock time.Duration

	lab   *Lab
	dir   string
	certs *Certs // nil where plain HTTP
	etcd  *Process
	wipes int
}

// Host makes one more host, nothing running on it. The version is one of
// etcds.Versions, or only its minor: 3.6.
func (l *Lab) Host(version string) *Host {
	l.t.Helper()
	full, err := etcds.Full(version)
	if err != nil {
		l.t.Fatalf("make a host: %v", err)
	}
	addr := l.Addr()
	name := "host" + addr[strings.LastIndex(addr, ".")+1:]
	dir := filepath.Join(l.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		l.t.Fatalf("make a host: %v", err)
	}
	h := &Host{Name: name, Version: full, Addr: addr, DataDir: filepath.Join(dir, "data"), lab: l, dir: dir}
	if l.ca != nil {
		// Peers check each other's certificate against where the connection
		// comes from, and that is 127.0.0.1 for every host here.
		h.certs = l.ca.issue(l.t, dir, name, addr, "127.0.0.1")
	}
	return h
}

// Hosts makes n hosts.
func (l *Lab) Hosts(n int, version string) []*Host {
	l.t.Helper()
	hosts := make([]*Host, n)
	for i := range hosts {
		hosts[i] = l.Host(version)
	}
	return hosts
}

// ClientURL is where the host's etcd serves clients.
func (h *Host) ClientURL() string { return h.url(clientPort) }

// PeerURL is where the host's etcd serves its peers.
func (h *Host) PeerURL() string { return h.url(peerPort) }

// AdvertisedURL is where peers are told to look for the host: its PeerURL, or
// the same by its name in DNS.
func (h *Host) AdvertisedURL() string {
	if h.DNSName == "" {
		return h.PeerURL()
	}
	return strings.Replace(h.PeerURL(), h.Addr, h.DNSName, 1)
}

func (h *Host) url(port int) string {
	scheme := "http"
	if h.certs != nil {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(h.Addr, fmt.Sprint(port))
}

// Start starts etcd with the flags of the machine (see MachineFlags) and then
// the given ones, which win.
func (h *Host) Start(args ...string) {
	h.lab.t.Helper()
	h.Launch(nil, slices.Concat(h.MachineFlags(), h.cheapLogins(), args)...)
}

// cheapLogins are for tests with auth: to log in takes the CPU for long.
func (h *Host) cheapLogins() []string {
	if strings.HasPrefix(h.Version, "2.") {
		return nil
	}
	return []string{"--bcrypt-cost=4"}
}

// StartWith starts etcd as `etcd <machine's flags> $(elastic-etcd -o flags)`.
func (h *Host) StartWith(flags string, args ...string) {
	h.lab.t.Helper()
	h.Start(append(strings.Fields(flags), args...)...)
}

// Launch starts etcd with exactly these variables and arguments.
func (h *Host) Launch(env []string, args ...string) {
	h.lab.t.Helper()
	if h.Running() {
		h.lab.t.Fatalf("start etcd on %s: it is running", h.Name)
	}
	find := etcds.Binary
	if h.Clock != 0 {
		find = etcds.BinaryWithClock
	}
	binary, err := find(h.Version)
	if err != nil {
		h.lab.t.Fatalf("start etcd on %s: %v", h.Name, err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = h.dir
	cmd.Env = environment(append(env, h.clockEnv()...))
	name := fmt.Sprintf("etcd %s on %s (%s)", h.Version, h.Name, h.Addr)
	h.etcd, err = h.lab.startProcess(name, filepath.Join(h.dir, "etcd.log"), cmd)
	if err != nil {
		h.lab.t.Fatalf("%v", err)
	}
}

func (h *Host) clockEnv() []string {
	if h.Clock == 0 {
		return nil
	}
	return []string{etcds.ClockEnv + "=" + h.Clock.String()}
}

// Etcd is the host's etcd process, the last one; nil before the first start.
func (h *Host) Etcd() *Process { return h.etcd }

// Running says whether etcd runs here, frozen or not.
func (h *Host) Running() bool { return h.etcd != nil && h.etcd.Running() }

// Stop ends etcd with SIGTERM.
func (h *Host) Stop() { h.lab.t.Helper(); h.do((*Process).TryStop) }

// Kill ends etcd with SIGKILL.
func (h *Host) Kill() { h.lab.t.Helper(); h.do((*Process).TryKill) }

// Freeze stops etcd with SIGSTOP: connections are accepted, nothing answers.
func (h *Host) Freeze() { h.lab.t.Helper(); h.do((*Process).TryFreeze) }

// Thaw lets a frozen etcd go on.
func (h *Host) Thaw() { h.lab.t.Helper(); h.do((*Process).TryThaw) }

func (h *Host) do(what func(*Process) error) {
	h.lab.t.Helper()
	if h.etcd == nil {
		h.lab.t.Fatalf("no etcd was started on %s", h.Name)
		return
	}
	if err := what(h.etcd); err != nil {
		h.lab.t.Fatalf("%v", err)
	}
}

// WaitExit waits until etcd has ended by itself and returns its exit code, -1
// after a signal.
func (h *Host) WaitExit() int {
	h.lab.t.Helper()
	return h.WaitExitWithin(patience)
}

// WaitExitWithin is WaitExit with a bound of its own.
func (h *Host) WaitExitWithin(timeout time.Duration) int {
	h.lab.t.Helper()
	var code int
	h.do(func(p *Process) (err error) {
		code, err = p.TryWait(timeout)
		return err
	})
	return code
}

// Log is what all etcds of this host wrote.
func (h *Host) Log() string {
	if h.etcd == nil {
		return ""
	}
	return h.etcd.Log()
}

// Wipe loses the disk: the data dir is moved aside, and its new path returned.
func (h *Host) Wipe() string {
	h.lab.t.Helper()
	if h.Running() {
		h.lab.t.Fatalf("wipe %s: etcd is running", h.Name)
	}
	h.wipes++
	aside := fmt.Sprintf("%s.wiped%d", h.DataDir, h.wipes)
	if err := os.Rename(h.DataDir, aside); err != nil {
		h.lab.t.Fatalf("wipe %s: %v", h.Name, err)
	}
	return aside
}

// TakeDisk moves the data of another host, whose etcd does not run, to this one.
func (h *Host) TakeDisk(from *Host) {
	h.lab.t.Helper()
	if from.Running() {
		h.lab.t.Fatalf("take the disk of %s: its etcd is running", from.Name)
	}
	if err := os.Rename(from.DataDir, h.DataDir); err != nil {
		h.lab.t.Fatalf("take the disk of %s: %v", from.Name, err)
	}
}
