//go:build unix

package discovery

import (
	"os/exec"
	"syscall"
)

// ownGroup has the end of a command end whatever it started, too.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
