// Package machine boots throw-away machines for the end-to-end tests: each a
// real systemd as PID 1, with its D-Bus and journal, in namespaces over a
// copy-on-write view of this machine's root or of another one, with a network
// of their own between them. It needs root; nothing of the host is changed.
package machine

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/etcds"
)

//go:embed boot.sh
var bootScript string

// Site is a set of machines on one network.
type Site struct {
	t       testing.TB
	dir     string
	net     *network
	starter *starter
	lower   string
	binds   []string
	numbers int
}

// Machine is one of them. It can be off.
type Machine struct {
	Name string
	Addr string

	site   *Site
	disk   string
	cgroup string
	boots  int
	outer  *exec.Cmd // unshare, nil when the machine is off
	pid    int       // of its PID 1
}

// New makes a site whose machines boot a root directory ("/" is this
// machine's) and see these directories read-only.
func New(t testing.TB, root string, binds ...string) *Site {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: a throw-away systemd needs root (.ci/run has it)")
	}
	s := &Site{t: t, dir: t.TempDir(), lower: root, binds: binds}
	// The overlay's upper layer must not lie on an overlay.
	s.must(exec.Command("mount", "-t", "tmpfs", "-o", "mode=0755", "machines", s.dir).Run())
	t.Cleanup(func() { _ = exec.Command("umount", "-l", s.dir).Run() })
	var err error
	s.starter = newStarter()
	t.Cleanup(s.starter.close)
	s.net, err = newNetwork(s.starter)
	s.must(err)
	t.Cleanup(s.net.close)
	s.must(os.WriteFile(filepath.Join(s.dir, "boot.sh"), []byte(bootScript), 0o755))
	return s
}

// Root finds the root directory of a Debian suite, which "make rootfs" builds.
func Root(t testing.TB, suite string) string {
	t.Helper()
	cache, err := etcds.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(filepath.Dir(cache), "rootfs", suite)
	if _, err := os.Stat(filepath.Join(root, "etc/debian_version")); err != nil {
		t.Skipf("NOT TESTED on the systemd of Debian %s: run make rootfs as root (.ci/run does)", suite)
	}
	return root
}

func (s *Site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("machines: %v", err)
	}
}

// Machine installs one more machine. It is off.
func (s *Site) Machine() *Machine {
	s.t.Helper()
	s.numbers++
	m := &Machine{Name: fmt.Sprintf("m%d", s.numbers), Addr: fmt.Sprintf("10.99.0.%d", s.numbers), site: s}
	m.disk = filepath.Join(s.dir, m.Name)
	s.must(os.Mkdir(m.disk, 0o755))
	s.t.Cleanup(func() { m.PowerOff() })
	return m
}

// Write puts a file onto the disk of a machine that is off.
func (m *Machine) Write(path, content string, mode os.FileMode) {
	m.site.t.Helper()
	full := filepath.Join(m.disk, "upper", path)
	m.site.must(os.MkdirAll(filepath.Dir(full), 0o755))
	m.site.must(os.WriteFile(full, []byte(content), mode))
	m.site.must(os.Chmod(full, mode))
}

// Link puts a symbolic link onto the disk of a machine that is off.
func (m *Machine) Link(target, path string) {
	m.site.t.Helper()
	full := filepath.Join(m.disk, "upper", path)
	m.site.must(os.MkdirAll(filepath.Dir(full), 0o755))
	m.site.must(os.Symlink(target, full))
}

// CopyTree puts a directory's content onto the disk of a machine that is off.
func (m *Machine) CopyTree(dir string) {
	m.site.t.Helper()
	upper := filepath.Join(m.disk, "upper")
	m.site.must(os.MkdirAll(upper, 0o755))
	m.site.must(exec.Command("cp", "-a", dir+"/.", upper).Run())
}

// Boot turns the machine on and waits until it has booted; jobs that take
// longer, such as an etcd that waits for its founders, go on.
func (m *Machine) Boot() {
	m.site.t.Helper()
	m.site.must(m.boot())
}

func (m *Machine) boot() error {
	if err := m.start(); err != nil {
		return err
	}
	m.boots++
	if err := m.site.net.plug(m.pid, fmt.Sprintf("%sb%d", m.Name, m.boots), m.Addr); err != nil {
		return err
	}
	return waitFor(m.Name+" to boot", func() error {
		if _, err := m.Try("test", "-S", "/run/systemd/private"); err != nil {
			return err
		}
		_, err := m.Try("systemctl", "is-active", "sysinit.target")
		return err
	})
}

func (m *Machine) start() error {
	group, err := newCgroup(m.Name)
	if err != nil {
		return err
	}
	m.cgroup = group
	_ = os.Remove(filepath.Join(m.disk, "booted"))
	// The shell joins the cgroup before it unshares it: systemd then sees
	// that group as the root.
	script := `echo 0 >"$1/cgroup.procs"; shift; exec unshare --cgroup -- "$@"`
	argv := append([]string{"--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--net", "--",
		"sh", "-ec", script, "sh", group, "bash", filepath.Join(m.site.dir, "boot.sh"), m.site.lower, m.disk}, m.site.binds...)
	m.outer = exec.Command("unshare", argv...)
	console, err := os.Create(filepath.Join(m.disk, "console.log"))
	if err != nil {
		return err
	}
	defer console.Close()
	m.outer.Stdout, m.outer.Stderr = console, console
	if err := m.site.starter.start(m.outer); err != nil {
		return err
	}
	err = waitFor(m.Name+" to build its root", func() error {
		b, err := os.ReadFile(filepath.Join(m.disk, "booted"))
		if err == nil && len(b) == 0 {
			err = fmt.Errorf("not yet: %s", m.console())
		}
		return err
	})
	if err == nil {
		m.pid, err = childOf(m.outer.Process.Pid)
	}
	return err
}

func (m *Machine) console() string {
	b, _ := os.ReadFile(filepath.Join(m.disk, "console.log"))
	return string(b)
}

// PowerOff cuts the power: the disk stays, nothing else.
func (m *Machine) PowerOff() {
	if m.outer == nil {
		return
	}
	if m.pid != 0 { // of one that never came up; to kill 0 is to kill ourselves
		_ = syscall.Kill(m.pid, syscall.SIGKILL) // the kernel kills the rest with PID 1
	}
	_ = m.outer.Process.Kill()
	_ = m.outer.Wait()
	m.outer = nil
	removeCgroup(m.cgroup)
}

// Reboot cuts the power and turns it on again.
func (m *Machine) Reboot() {
	m.site.t.Helper()
	m.PowerOff()
	m.Boot()
}

// Try runs a command on the machine.
func (m *Machine) Try(argv ...string) (string, error) {
	out, err := nsenter(m.pid, "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w").command(argv...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %s: %w: %s", m.Name, strings.Join(argv, " "), err, out)
	}
	return string(out), err
}

// Run runs a command on the machine; the test fails if it does.
func (m *Machine) Run(argv ...string) string {
	m.site.t.Helper()
	out, err := m.Try(argv...)
	m.site.must(err)
	return out
}

// Shell runs a script on the machine.
func (m *Machine) Shell(script string) string {
	m.site.t.Helper()
	return m.Run("sh", "-ec", script)
}

// WaitFor waits until check returns nil, for a minute and a half at most; a
// failure shows what the machine's journal says of a unit.
func (m *Machine) WaitFor(what, unit string, check func() error) {
	m.site.t.Helper()
	if err := waitFor(m.Name+": "+what, check); err != nil {
		status, _ := m.Try("systemctl", "status", "--no-pager", "-l", "-n", "30", unit)
		m.site.t.Fatalf("%v\n%s", err, status)
	}
}

const patience = 3 * time.Minute

func waitFor(what string, check func() error) error {
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := check()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("wait for %s: not after %s: %w", what, patience, err)
		}
	}
}
