package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestArchiveMountPoint: a WAL dir that is a mount point is left alone, and so
// is member/ with it.
func TestArchiveMountPoint(t *testing.T) {
	for name, mount := range map[string]func(dir string) error{
		"a disk of its own": func(dir string) error { return unix.Mount("none", dir, "tmpfs", 0, "") },
		"of the same disk":  func(dir string) error { return unix.Mount(dir, dir, "", unix.MS_BIND, "") },
	} {
		t.Run(name, func(t *testing.T) {
			mountsApart(t)
			dir, walDir := withWALDir(t)
			if err := mount(walDir); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = unix.Unmount(walDir, 0) })
			plant(t, walDir, map[string]string{filepath.Base(seg0): wal(1, 2, 0)})
			wantUnmoved(t, dir, walDir, errMountPoint.Error())
			wantUndone(t, filepath.Join(dir, "member"), walDir)
		})
	}
}

// wantUnmoved: where one directory cannot be put aside, both are where they
// were, and a plan says so before.
func wantUnmoved(t *testing.T, dir, walDir, says string) {
	t.Helper()
	before := list(t, dir) + list(t, filepath.Dir(walDir))
	d := read(t, dir, walDir)
	made, err := Archive(dir, walDir, noon)
	if err == nil || made != nil || !strings.Contains(err.Error(), says) || d.NoArchive != err.Error() {
		t.Errorf("got %q, %v, before %q; want %s", made, err, d.NoArchive, says)
	}
	if after := list(t, dir) + list(t, filepath.Dir(walDir)); after != before {
		t.Errorf("changed:\n%s", after)
	}
}

func TestArchiveParentReadOnly(t *testing.T) {
	dir, walDir := withWALDir(t)
	parent := filepath.Dir(walDir)
	err := errors.Join(os.Chmod(parent, 0o555), os.Chmod(filepath.Dir(parent), 0o755), os.Chmod(filepath.Dir(filepath.Dir(dir)), 0o755))
	if os.Getuid() == 0 {
		err = errors.Join(err, ownedByNobody(filepath.Dir(dir)), ownedByNobody(walDir))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(parent, 0o755) }) // or it cannot be cleared up
	unprivileged(t)
	wantUnmoved(t, dir, walDir, fmt.Sprintf("write %q: permission denied", parent))
}

func ownedByNobody(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, 65534, 65534))
	})
}

// wantUndone is for a kernel that does not tell a mount point before.
func wantUndone(t *testing.T, member, walDir string) {
	t.Helper()
	made, err := moveAll([]move{{member, member + stamp}, {walDir, walDir + stamp}})
	if !errors.Is(err, errMountPoint) || made != nil {
		t.Errorf("got %q, %v", made, err)
	}
	if _, err := os.Stat(filepath.Join(member, "snap", "db")); err != nil {
		t.Error(err)
	}
}
