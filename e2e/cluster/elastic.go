package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Command is one run of the elastic-etcd binary.
type Command struct {
	Args    []string
	Env     []string // besides the inherited one, which has no (ELASTIC_)ETCD_*
	Dir     string   // "" is the Lab's own folder
	Timeout time.Duration

	binary string // "" = the Lab's
}

// Result is what a run of elastic-etcd came to.
type Result struct {
	Stdout string
	Stderr string
	Code   int // -1 after a signal
	Took   time.Duration
}

// Elastic runs elastic-etcd and waits for it.
func (l *Lab) Elastic(args ...string) Result {
	l.t.Helper()
	return l.ElasticRun(Command{Args: args})
}

// ElasticRun runs elastic-etcd and waits for it.
func (l *Lab) ElasticRun(c Command) Result {
	l.t.Helper()
	return l.ElasticStart(c).Wait()
}

// Elastic runs elastic-etcd with the host's identity, and waits for it.
func (h *Host) Elastic(args ...string) Result {
	h.lab.t.Helper()
	return h.ElasticStart(args...).Wait()
}

// ElasticStart starts elastic-etcd with the host's identity.
func (h *Host) ElasticStart(args ...string) *Running {
	h.lab.t.Helper()
	c := Command{Args: append(h.IdentityFlags(), args...), Dir: h.dir, Env: h.clockEnv()}
	if h.Clock != 0 {
		c.binary = h.lab.binaryWithClock()
	}
	return h.lab.ElasticStart(c)
}

// Running is an elastic-etcd that was started.
type Running struct {
	*Process
	lab     *Lab
	args    []string
	stdout  string // the file
	started time.Time
	timeout time.Duration
}

// ElasticStart starts elastic-etcd.
func (l *Lab) ElasticStart(c Command) *Running {
	l.t.Helper()
	if c.binary == "" {
		c.binary = l.Binary()
	}
	cmd := exec.Command(c.binary, c.Args...)
	cmd.Dir = c.Dir
	if cmd.Dir == "" {
		cmd.Dir = l.dir
	}
	cmd.Env = environment(c.Env)
	log := l.nextRun("elastic-etcd")
	r := &Running{lab: l, args: c.Args, stdout: log + ".stdout", timeout: c.Timeout, started: time.Now()}
	if r.timeout == 0 {
		r.timeout = 2 * patience
	}
	// A file, not a pipe: a pipe could be kept open by a child's child.
	stdout, err := os.Create(r.stdout)
	if err != nil {
		l.t.Fatalf("start elastic-etcd: %v", err)
	}
	defer stdout.Close()
	cmd.Stdout = stdout
	if r.Process, err = l.startProcess("elastic-etcd", log, cmd); err != nil {
		l.t.Fatalf("%v", err)
	}
	return r
}

// Wait waits for the end, within the command's timeout or the test fails.
func (r *Running) Wait() Result {
	r.lab.t.Helper()
	code, err := r.TryWait(r.timeout)
	if err != nil {
		r.lab.t.Fatalf("elastic-etcd %q: %v", r.args, err)
	}
	return Result{Stdout: r.read(r.stdout), Stderr: r.read(r.log), Code: code, Took: r.ended.Sub(r.started)}
}

func (r *Running) read(file string) string {
	r.lab.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		r.lab.t.Fatalf("read what elastic-etcd wrote: %v", err)
	}
	return string(text)
}

// String is the result for a failed test's message.
func (r Result) String() string {
	return fmt.Sprintf("exit code %d after %v\nstdout: %s\nstderr: %s",
		r.Code, r.Took.Round(time.Millisecond), r.Stdout, r.Stderr)
}
