package server

import (
	"net/netip"
	"sync"
)

// What large answers may have in memory at one time, all together and those to
// one address. A client that is slow to take its answer holds it for as long as
// the connection has to write.
const (
	largeAnswer    = 16 << 10 // smaller ones are bounded by their connections
	maxAnswers     = 64 << 20
	maxAddrAnswers = maxAnswers / 4
)

// answers counts the bytes of large answers under way.
type answers struct {
	most, mostOfAddr int

	mu     sync.Mutex
	all    int
	byAddr map[netip.Prefix]int
}

// newAnswers bounds what one address has where its requests are bounded.
func newAnswers(rate float64) *answers {
	if rate <= 0 {
		return &answers{most: maxAnswers, mostOfAddr: maxAnswers}
	}
	return &answers{most: maxAnswers, mostOfAddr: maxAddrAnswers}
}

// begin counts an answer, unless there is too much; end counts it off again.
func (a *answers) begin(addr netip.Prefix, n int) (end func(), ok bool) {
	if n < largeAnswer {
		return func() {}, true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all+n > a.most || a.byAddr[addr]+n > a.mostOfAddr {
		return nil, false
	}
	a.add(addr, n)
	return func() { a.end(addr, n) }, true
}

func (a *answers) end(addr netip.Prefix, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add(addr, -n)
}

func (a *answers) add(addr netip.Prefix, n int) {
	if a.byAddr == nil {
		a.byAddr = map[netip.Prefix]int{}
	}
	a.all += n
	a.byAddr[addr] += n
	if a.byAddr[addr] == 0 {
		delete(a.byAddr, addr)
	}
}
