package server

import (
	"context"
	"time"
)

// ExpireEvery has a store drop the tokens that are older than age and never
// got complete: once now, and again every `every`, until ctx ends. told hears
// of a round that dropped some or failed.
func ExpireEvery(ctx context.Context, s Store, age, every time.Duration, told func(n int, err error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if n, err := s.Expire(ctx, time.Now().Add(-age)); n > 0 || err != nil && ctx.Err() == nil {
			told(n, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
