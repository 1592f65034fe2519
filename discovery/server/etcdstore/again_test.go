package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestAgain(t *testing.T) {
	final := errors.New("final")
	for name, c := range map[string]struct {
		first error
		tries int
	}{
		"done":            {nil, 1},
		"final":           {final, 1},
		"denied":          {rpctypes.ErrPermissionDenied, 1},
		"full disk":       {rpctypes.ErrNoSpace, 1},
		"cancelled":       {context.Canceled, 1},
		"somebody faster": {errMoved, 2},
		"no leader":       {fmt.Errorf("load: %w", rpctypes.ErrNoLeader), 2},
		"leader lost":     {rpctypes.ErrTimeoutDueToLeaderFail, 2},
		"connection lost": {status.Error(codes.Unavailable, "transport is closing"), 2},
		"hangs":           {context.DeadlineExceeded, 2},
	} {
		tries := 0
		err := again(t.Context(), func(context.Context) error {
			if tries++; tries == 1 {
				return c.first
			}
			return nil
		})
		if tries != c.tries || (err != nil) != (c.tries == 1 && c.first != nil) {
			t.Errorf("%s: %d tries, %v", name, tries, err)
		}
	}
}

func TestAgainEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for _, e := range []error{errMoved, rpctypes.ErrNoLeader} {
		if err := again(ctx, func(context.Context) error { return e }); !errors.Is(err, e) {
			t.Errorf("%v: %v", e, err)
		}
	}
}

// Whoever looks for the reason finds it.
func TestAnEtcdThatIsDownIsExplained(t *testing.T) {
	s, err := Open(Config{Endpoints: []string{"http://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Load(ctx, "t"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v", err)
	}
}

func TestRecords(t *testing.T) {
	b := birth{3, time.Unix(1e9, 0).UTC(), newMark()}
	if got, err := parseBirth(b.String()); err != nil || got != b {
		t.Errorf("%q: %+v, %v", b.String(), got, err)
	}
	for _, bad := range []string{"", "3", "3 x y", "x 2001-09-09T01:46:40Z y", "3 2001-09-09T01:46:40Z y z"} {
		if got, err := parseBirth(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
	mark, value, err := unmark(marked("m", " a b "))
	if mark != "m" || value != " a b " || err != nil {
		t.Errorf("%q %q %v", mark, value, err)
	}
	if _, _, err := unmark("x"); err == nil {
		t.Error("no mark is one")
	}
	if first, second := newMark(), newMark(); first == second {
		t.Error("one mark twice")
	}
}
