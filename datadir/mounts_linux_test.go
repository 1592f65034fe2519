package datadir

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// mountsApart lets a test mount what nobody else sees. Its thread ends with it.
func mountsApart(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: to mount needs root (.ci/run has it)")
	}
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNS)
	if err == nil { // or all would see them
		err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	if err != nil {
		t.Skipf("NOT TESTED: mounts of one's own: %v", err)
	}
}
