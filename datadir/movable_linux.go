package datadir

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// movable says why a directory cannot be renamed, as far as that is seen
// before. The device does not tell a mount point: one may be of the same device
// as the directory above it, and a btrfs subvolume, which can be renamed, has
// one of its own. Kernels before 5.8 do not tell.
func movable(dir string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, filepath.Dir(dir), unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("write %q: %w", filepath.Dir(dir), err)
	}
	var s unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, dir, unix.AT_SYMLINK_NOFOLLOW, 0, &s)
	if err == nil && s.Attributes&s.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return errMountPoint
	}
	return nil
}
