package etcdapi

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
)

// askAll asks all questions at the same time and yields the answers as they
// come. When the loop ends early the rest is canceled; nothing outlives it.
func askAll[Q, A any](ctx context.Context, questions []Q, ask func(context.Context, Q) A) iter.Seq[A] {
	return func(yield func(A) bool) {
		ctx, cancel := context.WithCancel(ctx)
		answers := make(chan A, len(questions))
		var tasks sync.WaitGroup
		defer tasks.Wait()
		defer cancel()
		for _, q := range questions {
			tasks.Go(func() { answers <- ask(ctx, q) })
		}
		for range questions {
			if !yield(<-answers) {
				return
			}
		}
	}
}

// joined is several errors on one line.
func joined(errs []error) error {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return errors.New(strings.Join(texts, "; "))
}
