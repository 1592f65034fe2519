package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sttts/elastic-etcd/joiner"
)

// TestReadRunningOFD is etcd 3.
func TestReadRunningOFD(t *testing.T) {
	data := tree(t, map[string]string{seg0: wal(1, 2, 0)})
	f := hold(t, filepath.Join(data, seg0))
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	wantRunning(t, data, f)
}

// TestReadRunningFlock is etcd 2.3.
func TestReadRunningFlock(t *testing.T) {
	data := tree(t, map[string]string{seg0: wal(1, 2, 0)})
	f := hold(t, filepath.Join(data, seg0))
	flock(t, f)
	wantRunning(t, data, f)
}

func flock(t *testing.T, f *os.File) {
	t.Helper()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
}

func hold(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// wantRunning wants the lock to be seen, and not to be left taken.
func wantRunning(t *testing.T, data string, f *os.File) {
	t.Helper()
	if d := read(t, data, ""); !d.Running || d.State != joiner.DiskData {
		t.Errorf("locked: %+v", d)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if d := read(t, data, ""); d.Running {
		t.Errorf("unlocked: %+v", d)
	}
}

func TestLockOn(t *testing.T) {
	for line, want := range map[string]bool{
		"7: FLOCK  ADVISORY  WRITE 21750 fe:00:9987133 0 EOF":    true,
		"7: OFDLCK ADVISORY  WRITE -1 fe:00:9987133 0 EOF":       true,
		"7: -> FLOCK  ADVISORY  WRITE 21750 fe:00:9987133 0 EOF": false,
		"7: FLOCK  ADVISORY  WRITE 21750 fe:00:99871331 0 EOF":   false,
		"7: FLOCK  ADVISORY  WRITE 21750 fe:01:9987133 0 EOF":    false,
		"7: LEASE  ACTIVE    READ 21750 <none>:9987133 0 EOF":    false,
		"": false,
	} {
		if got := lockOn(line, 0xfe, 0, 9987133); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestArchiveRunning(t *testing.T) {
	dir := tree(t, map[string]string{seg0: wal(1, 2, 0)})
	f := hold(t, filepath.Join(dir, seg0))
	flock(t, f)
	if made, err := Archive(dir, "", noon); err == nil || !strings.Contains(err.Error(), "an etcd runs on it") || made != nil {
		t.Errorf("got %q, %v", made, err)
	}
}
