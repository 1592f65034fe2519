package cli

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// TestWatchStatus: it is looked again only where that may tell more, and not
// for long.
func TestWatchStatus(t *testing.T) {
	cluster := func(h joiner.Health) joiner.Observation {
		c := statusCluster()
		c.Members = c.Members[:2]
		c.Members[1].Health = h
		return joiner.Observation{Clusters: []joiner.Cluster{c}}
	}
	follows, lags, stands := cluster(joiner.Health{Following: true}), cluster(joiner.Health{Match: 60}), cluster(joiner.Health{Match: 60, Stalled: second})
	c := statusCluster()
	view := joiner.Observation{Views: []joiner.View{{From: c.From, ClusterID: c.ID, Members: c.Members}}}
	locked := view
	locked.Failures = []joiner.Failure{{URL: c.From, Error: "who are you", Bar: joiner.AuthRequired}}
	broken := errors.New("no data dir")
	for _, c := range []struct {
		name  string
		looks []joiner.Observation // the last one for ever
		p     joiner.Policy
		want  int
		err   error
	}{
		{"all follow", []joiner.Observation{follows}, joiner.Policy{}, 1, nil},
		{"one comes in a moment", []joiner.Observation{lags, follows}, joiner.Policy{}, 2, nil},
		{"one stands still", []joiner.Observation{lags, stands}, joiner.Policy{}, 2, nil},
		{"one is slow for ever", []joiner.Observation{lags}, joiner.Policy{}, 8, nil},
		{"an election", []joiner.Observation{view, view, follows}, joiner.Policy{Endpoints: true}, 3, nil},
		{"no quorum", []joiner.Observation{view}, joiner.Policy{Endpoints: true}, 8, nil},
		{"nobody answers", []joiner.Observation{{}}, joiner.Policy{Endpoints: true}, 8, nil},
		{"nothing is configured", []joiner.Observation{{}}, joiner.Policy{}, 1, nil},
		{"not let in", []joiner.Observation{locked}, joiner.Policy{Endpoints: true}, 1, nil},
		{"nothing can be looked at", []joiner.Observation{follows}, joiner.Policy{}, 1, broken},
	} {
		synctest.Test(t, func(t *testing.T) {
			looks := 0
			start := time.Now()
			_, _, err := watchStatus(t.Context(), c.p, func(context.Context) (joiner.Observation, error) {
				looks++
				return c.looks[min(looks, len(c.looks))-1], c.err
			})
			if looks != c.want || !errors.Is(err, c.err) || time.Since(start) > watchTime+watchPause {
				t.Errorf("%s: looked %d times in %s, want %d: %v", c.name, looks, time.Since(start), c.want, err)
			}
		})
	}
}

// TestWatchStatusEnds: a signal ends it.
func TestWatchStatusEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	looks := 0
	_, _, err := watchStatus(ctx, joiner.Policy{Endpoints: true}, func(context.Context) (joiner.Observation, error) {
		looks++
		cancel()
		return joiner.Observation{}, nil
	})
	if looks != 1 || err != nil {
		t.Errorf("looked %d times: %v", looks, err)
	}
}
