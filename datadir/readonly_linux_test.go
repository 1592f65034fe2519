package datadir

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReadOnly(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: to mount a read-only file system needs root (.ci/run has it)")
	}
	rw, ro := t.TempDir(), t.TempDir()
	if err := unix.Mount("none", ro, "tmpfs", unix.MS_RDONLY, ""); err != nil {
		t.Skipf("NOT TESTED: mount a read-only file system: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(ro, 0) })
	for _, c := range []struct {
		dirs []string
		want string
	}{
		{[]string{rw, filepath.Join(rw, "none", "yet")}, ""},
		{[]string{ro}, ro},
		{[]string{rw, filepath.Join(ro, "none", "yet")}, filepath.Join(ro, "none", "yet")},
	} {
		if got := readOnly(c.dirs...); got != c.want {
			t.Errorf("%q: got %q, want %q", c.dirs, got, c.want)
		}
	}
}
