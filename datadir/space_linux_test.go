package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestShort(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: to mount a file system needs root (.ci/run has it)")
	}
	for size, want := range map[string]string{"60m": "60 MB are free", "70m": ""} {
		dir := t.TempDir()
		if err := unix.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
			t.Skipf("NOT TESTED: mount a file system: %v", err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, 0) })
		d := read(t, t.TempDir(), filepath.Join(dir, "none", "yet"))
		if got := d.Short; !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: got %q, want %q", size, got, want)
		}
	}
}
