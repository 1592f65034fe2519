package datadir

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestShort(t *testing.T) {
	mountsApart(t)
	for size, want := range map[string]string{"60m": "60 MB are free", "70m": ""} {
		dir := t.TempDir()
		if err := unix.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, 0) })
		d := read(t, t.TempDir(), filepath.Join(dir, "none", "yet"))
		if got := d.Short; !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: got %q, want %q", size, got, want)
		}
	}
	if d := read(t, t.TempDir(), "/proc/none/yet"); d.Short != "" {
		t.Errorf("/proc: %q", d.Short)
	}
}
