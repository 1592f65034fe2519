// Package netns is a network for the tests that can break: hosts in network
// namespaces of their own, connected by a switch in this process, which cuts,
// drops and delays as it is told. It needs root and /dev/net/tun, no kernel
// module and no packet filter. Nothing leads out of it.
package netns

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Need skips a test, loudly, where a network cannot be made.
func Need(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: a network that breaks needs root (.ci/run has it)")
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skipf("NOT TESTED: a network that breaks needs tun devices: %v", err)
	}
}

// Namespace is a network namespace, and a thread in it.
type Namespace struct {
	calls chan func()
	file  *os.File // of /proc
}

func newNamespace() (*Namespace, error) {
	n := &Namespace{calls: make(chan func())}
	made := make(chan error)
	go n.live(made)
	return n, <-made
}

// live never unlocks its thread: it ends with the goroutine, and the namespace
// with it and its last process.
func (n *Namespace) live(made chan<- error) {
	runtime.LockOSThread()
	err := n.unshare()
	made <- err
	if err != nil {
		return
	}
	for call := range n.calls {
		call()
	}
}

func (n *Namespace) unshare() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make a network namespace: %w", err)
	}
	if n.file, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return fmt.Errorf("make a network namespace: %w", err)
	}
	return nil
}

// Do runs f on the namespace's thread: sockets that f makes and processes that
// it starts are in the namespace. Those processes may ask for a death signal,
// as the thread lives until Close.
func (n *Namespace) Do(f func() error) error {
	done := make(chan error, 1)
	n.calls <- func() { done <- f() }
	return <-done
}

// visit runs f in the namespace, on a thread for this alone: f may block.
func (n *Namespace) visit(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked, as above
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter a network namespace: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}

func (n *Namespace) close() {
	close(n.calls)
	n.file.Close()
}

// ip runs lines of ip(8) in the namespace.
func (n *Namespace) ip(lines ...string) error {
	return n.Do(func() error {
		cmd := exec.Command("ip", "-batch", "-")
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n"))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("ip: %w: %s", err, out)
		}
		return nil
	})
}

// sysctl sets a value below /proc/sys/net of the namespace.
func (n *Namespace) sysctl(key, value string) error {
	return n.Do(func() error {
		return os.WriteFile("/proc/thread-self/root/proc/sys/net/"+key, []byte(value), 0)
	})
}
