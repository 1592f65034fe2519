package datadir

import (
	"errors"
	"fmt"
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

// firstWAL is what etcd allocates for its first WAL file before anything else,
// in every version (wal.SegmentSizeBytes).
const firstWAL = 64 << 20 // bytes

// short says so where that is more than is free. What cannot be asked is not
// short, nor is what has no blocks at all, as /proc.
func short(walDir string) string {
	var s unix.Statfs_t
	err := nearest(walDir, func(dir string) error { return unix.Statfs(dir, &s) })
	if free := s.Bavail * uint64(s.Bsize); err == nil && s.Blocks > 0 && free < firstWAL {
		return fmt.Sprintf("%d MB are free for %q, and its first WAL file takes %d MB", free>>20, walDir, firstWAL>>20)
	}
	return ""
}

// allocated is what a file takes on the disk: etcd's files may have holes.
func allocated(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Blocks) * 512
	}
	return uint64(info.Size())
}
