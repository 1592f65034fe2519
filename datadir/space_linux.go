package datadir

import (
	"io/fs"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeAt is what is free beside dir, in bytes.
func freeAt(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(dir), &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// allocated is what a file takes on the disk: etcd's files may have holes.
func allocated(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Blocks) * 512
	}
	return uint64(info.Size())
}
