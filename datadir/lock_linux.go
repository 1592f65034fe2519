package datadir

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// locked tells whether somebody holds a lock on a WAL segment, without taking
// one. etcd 3 locks by open file description, which can be asked for. etcd
// 2.3 locks by flock(2), which cannot: there the kernel's list of locks
// tells, unless that etcd runs in another PID namespace. What cannot be asked
// for, as on some network file systems, is not locked.
func locked(f *os.File, info fs.FileInfo) bool {
	l := unix.Flock_t{Type: unix.F_RDLCK} // conflicts with etcd's write lock
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l)
	return err == nil && l.Type != unix.F_UNLCK || listed(info)
}

// listed looks a file up in /proc/locks. A list that cannot be read says
// nothing.
func listed(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	f, err := os.Open("/proc/locks")
	if !ok || err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if lockOn(lines.Text(), unix.Major(stat.Dev), unix.Minor(stat.Dev), stat.Ino) {
			return true
		}
	}
	return false
}

// lockOn tells whether a line of /proc/locks is of a held lock on a file:
// "7: FLOCK  ADVISORY  WRITE 21750 fe:00:9987133 0 EOF"; a waiting one has
// "->" for its second word.
func lockOn(line string, major, minor uint32, inode uint64) bool {
	words := strings.Fields(line)
	if len(words) < 6 || words[1] == "->" {
		return false
	}
	return words[5] == fmt.Sprintf("%02x:%02x:%s", major, minor, strconv.FormatUint(inode, 10))
}
