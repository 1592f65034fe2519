package server

import (
	"net/netip"
	"sync"
)

// waiters counts the long polls: each holds a connection and some memory.
type waiters struct {
	mu      sync.Mutex
	all     int
	byToken map[string]int
	byAddr  map[netip.Prefix]int
}

// most are the bounds of waiters: in all, of one token, of one address.
type most struct{ all, token, addr int }

// enter counts one more, unless there are too many; leave counts it off again.
func (w *waiters) enter(token string, addr netip.Prefix, most most) (leave func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= most.all || w.byToken[token] >= most.token || w.byAddr[addr] >= most.addr {
		return nil, false
	}
	if w.byToken == nil {
		w.byToken, w.byAddr = map[string]int{}, map[netip.Prefix]int{}
	}
	w.all++
	w.byToken[token]++
	w.byAddr[addr]++
	return func() { w.leave(token, addr) }, true
}

func (w *waiters) leave(token string, addr netip.Prefix) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all--
	if w.byToken[token]--; w.byToken[token] == 0 {
		delete(w.byToken, token)
	}
	if w.byAddr[addr]--; w.byAddr[addr] == 0 {
		delete(w.byAddr, addr)
	}
}

func (w *waiters) count() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return float64(w.all)
}
