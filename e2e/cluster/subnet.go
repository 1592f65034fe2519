package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
)

const (
	clientPort = 2379
	peerPort   = 2380
)

// subnet is a 127.a.b.0/24 for one Lab alone. Its last address is kept bound:
// that is the lock against other Labs, in other processes too.
type subnet struct {
	a, b int
	lock net.Listener
}

func newSubnet() (*subnet, error) {
	for range 100 {
		// Not 127.0: others live there.
		s := &subnet{a: 1 + rand.IntN(254), b: rand.IntN(256)}
		lock, err := net.Listen("tcp", fmt.Sprintf("%s:%d", s.addr(254), peerPort))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find free loopback addresses: %w", err)
		}
		s.lock = lock
		return s, nil
	}
	return nil, fmt.Errorf("find free loopback addresses: port %d is taken everywhere", peerPort)
}

func (s *subnet) addr(host int) string {
	return fmt.Sprintf("127.%d.%d.%d", s.a, s.b, host)
}

// claim makes sure that the standard ports of the address can be bound.
func (s *subnet) claim(host int) (string, error) {
	if host > 253 {
		return "", errors.New("claim address: all are in use")
	}
	addr := s.addr(host)
	for _, port := range []int{clientPort, peerPort} {
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", addr, port))
		if err != nil {
			return "", fmt.Errorf("claim address: %w", err)
		}
		l.Close()
	}
	return addr, nil
}

func (s *subnet) release() { s.lock.Close() }
