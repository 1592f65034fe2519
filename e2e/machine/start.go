package machine

import (
	"os/exec"
	"runtime"
	"syscall"
)

// starter starts children that end with this process, however that ends:
// unshare passes it on to PID 1 (--kill-child), and that takes the machine
// along. The kernel sends the signal when the *thread* that forked ends, and
// threads do end here: those of other tests that were in another namespace. So
// all forks of a site are done on one thread that lasts as long as the site.
type starter struct {
	commands chan *exec.Cmd
	errs     chan error
}

func newStarter() *starter {
	s := &starter{make(chan *exec.Cmd), make(chan error)}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for cmd := range s.commands {
			s.errs <- cmd.Start()
		}
	}()
	return s
}

// start is not for several goroutines at once: a site is one test's.
func (s *starter) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	s.commands <- cmd
	return <-s.errs
}

func (s *starter) close() { close(s.commands) }
