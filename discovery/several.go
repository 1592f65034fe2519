package discovery

import (
	"context"
	"io"
	"sync"

	"github.com/sttts/elastic-etcd/joiner"
)

// Source is what a cluster is founded through.
type Source interface {
	// Look tells what is known now; what fails is told in its Error.
	Look(ctx context.Context) joiner.Discovery
	// Register creates an entry and never overwrites one.
	Register(ctx context.Context, e joiner.Entry) error
}

// Hinter only says where members may be. It is bounded in time by itself.
type Hinter interface {
	Hint(ctx context.Context) joiner.Hint
}

// Several are the sources of one host: at most one to found through, and any
// number of hints.
type Several struct {
	Founding Source // nil = none
	Hints    []Hinter
}

// Look asks all sources at once.
func (s Several) Look(ctx context.Context) (joiner.Discovery, []joiner.Hint) {
	var d joiner.Discovery
	var hints []joiner.Hint
	if len(s.Hints) > 0 {
		hints = make([]joiner.Hint, len(s.Hints))
	}
	var asked sync.WaitGroup
	for i, h := range s.Hints {
		asked.Go(func() { hints[i] = h.Hint(ctx) })
	}
	if s.Founding != nil {
		d = s.Founding.Look(ctx)
	}
	asked.Wait()
	return d, hints
}

// Close ends the connections of the sources.
func (s Several) Close() {
	if c, open := s.Founding.(io.Closer); open {
		c.Close()
	}
}
