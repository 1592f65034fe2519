package preflight

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

const (
	// lookupTimeout bounds all lookups together.
	lookupTimeout = 2 * time.Second
	maxLookups    = 16
)

// Resolver gives the addresses of a host name, as net.Resolver does.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// Unresolved lists the host names in the URLs that have no address.
func Unresolved(ctx context.Context, r Resolver, urls []string) []joiner.Fault {
	ctx, cancel := context.WithTimeoutCause(ctx, lookupTimeout, errors.New("no answer from the resolver within "+lookupTimeout.String()))
	defer cancel()
	hosts := hostNames(urls)
	wrong := make([]error, len(hosts))
	var lookups sync.WaitGroup
	for i, host := range hosts {
		lookups.Go(func() { wrong[i] = lookup(ctx, r, host) })
	}
	lookups.Wait()
	var faults []joiner.Fault
	for i, err := range wrong {
		if err != nil {
			faults = append(faults, joiner.Fault{What: hosts[i], Wrong: err.Error()})
		}
	}
	return faults
}

func lookup(ctx context.Context, r Resolver, host string) error {
	addrs, err := r.LookupHost(ctx, host)
	var failed *net.DNSError
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &failed):
		return errors.New(failed.Err) // the name is said already
	case err == nil && len(addrs) == 0:
		return errors.New("no address")
	}
	return err
}

// hostNames are the hosts of the URLs that are no addresses.
func hostNames(urls []string) []string {
	var hosts []string
	for _, s := range urls {
		u, err := url.Parse(s)
		if err != nil {
			continue
		}
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			hosts = append(hosts, u.Hostname())
		}
	}
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	return hosts[:min(len(hosts), maxLookups)]
}
