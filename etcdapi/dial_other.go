//go:build !linux

package etcdapi

import (
	"context"
	"net"
)

func dialShortLived(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}
