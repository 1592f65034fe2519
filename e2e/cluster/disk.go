package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Disk gives the host's data dir a small file system of its own, which only
// the host's processes see, as it is in their mount namespace. It needs root.
func (n *Net) Disk(h *Host) {
	n.t.Helper()
	image := filepath.Join(filepath.Dir(h.DataDir), "disk")
	n.onDisk(h, "unshare", func() error { return unix.Unshare(unix.CLONE_NEWNS) })
	n.onDisk(h, "make", func() error {
		return shell(`mount --make-rprivate / && mkdir -p "$1" && truncate -s 512M "$2" && mkfs.ext4 -q -F "$2" && mount -o loop "$2" "$1"`,
			h.DataDir, image)
	})
}

// BreakDisk makes every access fail from now on.
func (n *Net) BreakDisk(h *Host) {
	n.t.Helper()
	const shutdown, withoutFlush = 0x8004587d, 2 // EXT4_IOC_SHUTDOWN
	n.onDisk(h, "break", func() error {
		dir, err := os.Open(h.DataDir)
		if err != nil {
			return err
		}
		defer dir.Close()
		return unix.IoctlSetPointerInt(int(dir.Fd()), shutdown, withoutFlush)
	})
}

// RemountDisk mounts it with options such as ro; nothing may be open to write.
func (n *Net) RemountDisk(h *Host, options string) {
	n.t.Helper()
	n.onDisk(h, "remount", func() error { return shell(`mount -o "remount,$2" "$1"`, h.DataDir, options) })
}

// FillDisk leaves that many MB of it free; FreeDisk takes that back.
func (n *Net) FillDisk(h *Host, free int) {
	n.t.Helper()
	n.onDisk(h, "fill", func() error {
		return shell(`fallocate -l $(($(stat -f -c %a*%S "$1") - ($2 << 20))) "$1/filler"`, h.DataDir, fmt.Sprint(free))
	})
}

// FreeDisk frees what FillDisk filled.
func (n *Net) FreeDisk(h *Host) {
	n.t.Helper()
	n.onDisk(h, "free", func() error { return os.Remove(filepath.Join(h.DataDir, "filler")) })
}

// EndDisk takes it away, with what is on it; a broken one as well.
func (n *Net) EndDisk(h *Host) {
	n.t.Helper()
	n.onDisk(h, "unmount", func() error { return shell(`umount "$1"`, h.DataDir) })
}

// onDisk does something where the host's processes are.
func (n *Net) onDisk(h *Host, what string, f func() error) {
	n.t.Helper()
	if err := n.Port(h).Do(f); err != nil {
		n.t.Fatalf("%s the disk of %s: %v", what, h.Name, err)
	}
}

func shell(script string, args ...string) error {
	out, err := exec.Command("sh", append([]string{"-ec", script, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

const throttle = "/sys/fs/cgroup/blkio/blkio.throttle.write_iops_device"

// CanSlowDisk says whether SlowDisk works here: as long as there is version 1
// of cgroups.
func CanSlowDisk() error {
	_, err := os.Stat(throttle)
	return err
}

// SlowDisk lets that many writes through in a second, 0 is no limit. A disk
// that was slowed down has to be made fast before it ends.
func (n *Net) SlowDisk(h *Host, perSecond int) {
	n.t.Helper()
	n.onDisk(h, "slow down", func() error {
		var stat unix.Stat_t
		if err := unix.Stat(h.DataDir, &stat); err != nil {
			return err
		}
		limit := fmt.Sprintf("%d:%d %d", unix.Major(stat.Dev), unix.Minor(stat.Dev), perSecond)
		return os.WriteFile(throttle, []byte(limit), 0)
	})
}
