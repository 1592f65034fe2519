package server

import (
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

// health is what is known of the store.
type health struct {
	mu      sync.Mutex
	noSpace time.Time // the last write failed then, for lack of space
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

func (h *health) space() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.noSpace) < noSpaceTime {
		return ErrNoSpace
	}
	return nil
}

// health asks the store for a token that nobody has.
func (s *Server) checkHealth(w http.ResponseWriter, r *http.Request) error {
	if err := s.health.space(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return nil
	}
	_, err := s.store.Load(r.Context(), strings.Repeat("0", registry.TokenLen))
	if err != nil && !errors.Is(err, ErrUnknownToken) {
		s.options.Report(fmt.Errorf("health: %w", err))
		http.Error(w, "the store cannot be read", http.StatusServiceUnavailable)
		return nil
	}
	return writeText(w, "OK")
}
