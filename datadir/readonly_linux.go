package datadir

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// readOnly gives the first of some directories that lies on a read-only file
// system, or would. Whether this user may write is another matter: etcd may
// run as another one.
func readOnly(dirs ...string) string {
	for _, dir := range dirs {
		if errors.Is(writable(dir), unix.EROFS) {
			return dir
		}
	}
	return ""
}

// writable asks about a directory, or the nearest one above it that is there.
func writable(dir string) error {
	return nearest(dir, func(dir string) error { return unix.Access(dir, unix.W_OK) })
}

func nearest(dir string, ask func(string) error) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for {
		err := ask(dir)
		if !errors.Is(err, unix.ENOENT) || dir == "/" {
			return err
		}
		dir = filepath.Dir(dir)
	}
}
