package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sttts/elastic-etcd/discovery/registry"
)

// noSpaceTime is how long a write that failed for lack of space is remembered:
// when nobody writes, only the next one will tell whether there is some again.
const noSpaceTime = time.Minute

// fullTime is how long people are not told again that the store is full: who is
// refused for it asks again and again.
const fullTime = time.Minute

// healthTime is how long it counts that the store could be read, or not.
const healthTime = time.Second

// health is what is known of the store.
type health struct {
	mu      sync.Mutex
	noSpace time.Time // the last write failed then, for lack of space
	full    time.Time // it was told then that the store is full

	reading sync.Mutex
	checked time.Time
	unread  error
}

// wrote is told how a write ended, and gives that on.
func (h *health) wrote(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case errors.Is(err, ErrNoSpace):
		h.noSpace = time.Now()
	case err == nil:
		h.noSpace = time.Time{}
	}
	return err
}

// tellsFull tells whether it is time to tell of a store that is full.
func (h *health) tellsFull() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.full) < fullTime {
		return false
	}
	h.full = time.Now()
	return true
}

// wrote is told how a write ended, and gives that on. A store that is full
// refuses for a reason that its admin mends, and not who asks.
func (s *Server) wrote(err error) error {
	if errors.Is(err, ErrNoRoom) && s.health.tellsFull() {
		s.options.Report(err)
	}
	return s.health.wrote(err)
}

func (h *health) space() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.noSpace) < noSpaceTime {
		return ErrNoSpace
	}
	return nil
}

// checkHealth answers whether the store can be read, and written as far as is
// known.
func (s *Server) checkHealth(w http.ResponseWriter, r *http.Request) error {
	err := s.health.space()
	if err == nil {
		err = s.health.read(func() error { return s.readStore(context.WithoutCancel(r.Context())) })
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return nil
	}
	return writeText(w, "OK")
}

// read tells how reading ended, of whoever asked within the last second: no
// rate bounds these requests.
func (h *health) read(check func() error) error {
	h.reading.Lock()
	defer h.reading.Unlock()
	if time.Since(h.checked) > healthTime {
		h.unread = check()
		h.checked = time.Now()
	}
	return h.unread
}

// readStore asks for a token that nobody has.
func (s *Server) readStore(ctx context.Context) error {
	_, err := s.store.Load(ctx, strings.Repeat("0", registry.TokenLen))
	if err == nil || errors.Is(err, ErrUnknownToken) {
		return nil
	}
	s.options.Report(fmt.Errorf("health: %w", err))
	return errors.New("the store cannot be read")
}
