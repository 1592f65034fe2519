package etcdapi

import (
	"context"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unacknowledged is how long the kernel goes on sending what this process
// wrote, also when it is gone: a change that it was killed over must not reach
// etcd when the intent it was made under has run out.
const unacknowledged = 15 * time.Second

func dialShortLived(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			// Without it the kernel's own limit holds, of some minutes.
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unacknowledged.Milliseconds()))
		})
	}}
	return d.DialContext(ctx, "tcp", address)
}
