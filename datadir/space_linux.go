package datadir

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// spaceAt is the file system beside dir, and what is free there in bytes.
func spaceAt(dir string) (device, free uint64, err error) {
	var s unix.Statfs_t
	var at unix.Stat_t
	if err := errors.Join(unix.Statfs(filepath.Dir(dir), &s), unix.Stat(filepath.Dir(dir), &at)); err != nil {
		return 0, 0, err
	}
	return at.Dev, s.Bavail * uint64(s.Bsize), nil
}

// allocated is what a file takes on the disk: etcd's files may have holes.
func allocated(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Blocks) * 512
	}
	return uint64(info.Size())
}
