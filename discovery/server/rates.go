package server

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// burstSeconds is how much of its rate an address may have saved up: hosts
	// boot together, and behind one address after a power cut.
	burstSeconds = 10

	// maxAddresses bounds the buckets that are kept, twice: whoever has an
	// IPv4 network, or a provider's IPv6, has many addresses.
	maxAddresses = 10000
)

// rates is a token bucket for every remote address. A bucket that is as old as
// it takes to fill is forgotten, which makes no difference to it.
type rates struct {
	limit rate.Limit

	mu           sync.Mutex
	fresh, older map[netip.Prefix]*rate.Limiter
	turn         time.Time // when the fresh ones become older ones
}

// newRates makes buckets of so many requests a second; 0 is no limit.
func newRates(perSecond float64) *rates { return &rates{limit: rate.Limit(perSecond)} }

// allow takes one from the bucket of an address.
func (r *rates) allow(remote string, now time.Time) bool {
	if r.limit <= 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bucket(network(remote), now).AllowN(now, 1)
}

func (r *rates) bucket(of netip.Prefix, now time.Time) *rate.Limiter {
	if now.After(r.turn) || len(r.fresh) >= maxAddresses {
		r.fresh, r.older = map[netip.Prefix]*rate.Limiter{}, r.fresh
		r.turn = now.Add(burstSeconds * time.Second)
	}
	b := r.fresh[of]
	if b == nil {
		b = r.older[of]
	}
	if b == nil {
		b = rate.NewLimiter(r.limit, max(1, int(burstSeconds*r.limit)))
	}
	r.fresh[of] = b
	return b
}

// network is whom a bucket is for: an IPv4 address, or the 64 bits of an IPv6
// one that a single host has at least. What is neither, such as the path of a
// socket, shares one.
func network(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr := at.Addr().Unmap().WithZone("")
	if addr.Is4() {
		return netip.PrefixFrom(addr, 32)
	}
	net, _ := addr.Prefix(64) // fails for more bits than there are
	return net
}
