package cluster

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// patience bounds every wait for something that should happen soon, on a
	// slow machine with the race detector.
	patience  = 2 * time.Minute
	pollEvery = 20 * time.Millisecond
	logLines  = 30
)

// Lab is one test's set of hosts, on addresses of its own.
type Lab struct {
	t        T
	dir      string
	subnet   *subnet
	launcher *launcher
	ca       *authority // nil where the hosts speak plain HTTP
	root     *User      // nil where there is no auth

	mu        sync.Mutex // of what follows
	closed    bool
	addresses int
	runs      int
	processes []*Process
}

// New makes a Lab that lasts as long as the test. A failed test shows the end
// of every process's log.
func New(t T) *Lab {
	t.Helper()
	dir := t.TempDir()
	subnet, err := newSubnet()
	if err != nil {
		t.Fatalf("make a lab: %v", err)
	}
	l := &Lab{t: t, dir: dir, subnet: subnet, launcher: newLauncher()}
	t.Cleanup(l.close)
	return l
}

func (l *Lab) close() {
	l.mu.Lock()
	l.closed = true
	processes := l.processes
	l.mu.Unlock()
	if l.t.Failed() {
		l.dump(processes)
	}
	for _, p := range processes {
		if err := p.TryKill(); err != nil {
			l.t.Logf("clean up: %v", err)
		}
	}
	l.launcher.close()
	l.subnet.release()
}

func (l *Lab) dump(processes []*Process) {
	seen := map[string]bool{}
	for _, p := range processes {
		if seen[p.log] {
			continue
		}
		seen[p.log] = true
		l.t.Logf("--- %s, end of its log:\n%s", p.name, p.logTail(logLines))
	}
}

// Dir is the Lab's own folder, gone after the test.
func (l *Lab) Dir() string { return l.dir }

// Addr is a fresh loopback address with nothing on it.
func (l *Lab) Addr() string {
	l.t.Helper()
	l.mu.Lock()
	l.addresses++
	n := l.addresses
	l.mu.Unlock()
	addr, err := l.subnet.claim(n)
	if err != nil {
		l.t.Fatalf("%v", err)
	}
	return addr
}

// DeadURL is a URL that refuses connections.
func (l *Lab) DeadURL() string {
	l.t.Helper()
	return "http://" + net.JoinHostPort(l.Addr(), fmt.Sprint(clientPort))
}

// startProcess starts nothing any more in a closed Lab: an interrupted Script
// may still be at work.
func (l *Lab) startProcess(name, log string, cmd *exec.Cmd) (*Process, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, fmt.Errorf("start %s: the lab is closed", name)
	}
	p, err := startProcess(l.launcher, name, log, cmd)
	if err != nil {
		return nil, err
	}
	l.processes = append(l.processes, p)
	return p, nil
}

// nextRun names the log of a process that has no host.
func (l *Lab) nextRun(kind string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs++
	return filepath.Join(l.dir, fmt.Sprintf("%s-%d.log", kind, l.runs))
}

// environment is that of all children: ours without what would configure etcd
// or elastic-etcd behind the test's back.
func environment(more []string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ETCD_") && !strings.HasPrefix(e, "ELASTIC_ETCD_") {
			env = append(env, e)
		}
	}
	return append(env, more...)
}
