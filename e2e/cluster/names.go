package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// UseDNS has everything that the lab starts from now on ask one DNS server,
// at port 53 of an address: an /etc/resolv.conf of its own, with a search list
// as most hosts have one. It needs root.
func (l *Lab) UseDNS(addr string) {
	l.t.Helper()
	conf := filepath.Join(l.dir, "resolv.conf")
	text := "nameserver " + addr + "\nsearch corp.test\noptions timeout:1 attempts:2\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		l.t.Fatalf("write resolv.conf: %v", err)
	}
	if err := l.launcher.onThread(func() error { return ownResolvConf(conf) }); err != nil {
		l.t.Fatalf("%v", err)
	}
}

// ownResolvConf gives this thread, and what it starts, a mount namespace. The
// thread is never unlocked again, so it ends with its goroutine.
func ownResolvConf(conf string) error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make a mount namespace private: %w", err)
	}
	target, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err != nil {
		return fmt.Errorf("replace resolv.conf: %w", err)
	}
	if err := unix.Mount(conf, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("replace resolv.conf: %w", err)
	}
	return nil
}
