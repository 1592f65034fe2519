package datadir

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReadOnly(t *testing.T) {
	mountsApart(t)
	rw, ro := t.TempDir(), t.TempDir()
	if err := unix.Mount("none", ro, "tmpfs", unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
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
