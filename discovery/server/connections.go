package server

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// connections keeps one remote address from holding all of them: a file
// descriptor each.
type connections struct {
	most int

	mu     sync.Mutex
	byAddr map[netip.Prefix]int
}

// changed is an http.Server's ConnState. It closes what is too many.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	addr := network(conn.RemoteAddr().String())
	switch state {
	case http.StateNew:
		if c.add(addr, 1) > c.most {
			conn.Close() // the server then tells that it is closed
		}
	case http.StateClosed, http.StateHijacked:
		c.add(addr, -1)
	}
}

func (c *connections) add(addr netip.Prefix, n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byAddr == nil {
		c.byAddr = map[netip.Prefix]int{}
	}
	c.byAddr[addr] += n
	now := c.byAddr[addr]
	if now == 0 {
		delete(c.byAddr, addr)
	}
	return now
}
