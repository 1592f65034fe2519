package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Process is a child of this process with its standard error in a file.
type Process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}

	// Of waiting; only read once done is closed.
	err   error
	ended time.Time
}

func startProcess(l *launcher, name, log string, cmd *exec.Cmd) (*Process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer file.Close()
	cmd.Stderr = file
	if cmd.Stdout == nil {
		cmd.Stdout = file
	}
	if err := l.start(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{name: name, cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		p.ended = time.Now()
		close(p.done)
	}()
	return p, nil
}

// Pid is the process ID.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running says whether the process has not ended; a frozen one runs.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// TryWait waits for the end of the process and returns its exit code, -1 when
// a signal ended it.
func (p *Process) TryWait(timeout time.Duration) (int, error) {
	select {
	case <-p.done:
	case <-time.After(timeout):
		return 0, fmt.Errorf("wait for %s to end: still running after %v", p.name, timeout)
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		return 0, fmt.Errorf("wait for %s to end: %w", p.name, p.err)
	}
	return p.cmd.ProcessState.ExitCode(), nil
}

// TryStop sends SIGTERM and waits.
func (p *Process) TryStop() error {
	if !p.Running() {
		return nil
	}
	if err := p.signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_, err := p.TryWait(patience)
	return err
}

// TryKill sends SIGKILL to the process and to its own children, and waits; it
// works on a frozen process too.
func (p *Process) TryKill() error {
	if !p.Running() {
		return nil
	}
	// It leads its process group: see launcher.
	if err := syscall.Kill(-p.Pid(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	_, err := p.TryWait(patience)
	return err
}

func (p *Process) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("send %v to %s: %w", sig, p.name, err)
	}
	return nil
}

// TryFreeze stops the process where it stands (SIGSTOP): its ports stay open
// and the kernel goes on accepting connections, but nothing answers.
func (p *Process) TryFreeze() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pollEvery) {
		if p.state() == 'T' {
			return nil
		}
		if !p.Running() {
			return fmt.Errorf("freeze %s: it has ended", p.name)
		}
	}
	return fmt.Errorf("freeze %s: state is %q", p.name, p.state())
}

// TryThaw continues a frozen process.
func (p *Process) TryThaw() error { return p.signal(syscall.SIGCONT) }

// state is the letter of proc_pid_stat(5), behind the command in brackets.
func (p *Process) state() byte {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
	i := bytes.LastIndexByte(stat, ')')
	if err != nil || i < 0 || len(stat) < i+3 {
		return '?'
	}
	return stat[i+2]
}

// Log is everything the process, and those before it with the same log file,
// wrote.
func (p *Process) Log() string {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Sprintf("no log of %s: %v", p.name, err)
	}
	return string(log)
}

func (p *Process) logTail(lines int) string {
	all := strings.Split(strings.TrimRight(p.Log(), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
