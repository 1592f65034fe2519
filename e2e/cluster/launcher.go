package cluster

import (
	"os/exec"
	"runtime"
	"syscall"
)

// launcher starts processes that die with this one. The kernel sends the death
// signal when the *thread* that forked ends, so all forks are done by one
// goroutine that keeps its thread as long as its children may live.
type launcher struct {
	starts chan launch
}

type launch struct {
	cmd *exec.Cmd
	do  func() error // instead of a cmd
	err chan error
}

func newLauncher() *launcher {
	l := &launcher{starts: make(chan launch)}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for s := range l.starts {
			if s.do != nil {
				s.err <- s.do()
				continue
			}
			s.err <- s.cmd.Start()
		}
	}()
	return l
}

// start runs the command in a process group of its own: a Ctrl-C at the
// terminal is for us, and we end our children in order.
func (l *launcher) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	s := launch{cmd: cmd, err: make(chan error, 1)}
	l.starts <- s
	return <-s.err
}

// onThread does something on the thread that all children come from.
func (l *launcher) onThread(f func() error) error {
	s := launch{do: f, err: make(chan error, 1)}
	l.starts <- s
	return <-s.err
}

// close is only for when all children are gone and no more will be started.
func (l *launcher) close() { close(l.starts) }
