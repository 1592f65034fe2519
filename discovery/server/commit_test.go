package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
)

// Changes that are written together have each its own end, unless the
// transaction fails.
func TestChangesTogether(t *testing.T) {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	put := func(key string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte(key))
			return err
		}
	}
	refuse := func(*bbolt.Tx) error { return fmt.Errorf("no: %w", ErrFull) }
	broken := errors.New("broken")
	c := &commits{db: db}
	write := func(does ...func(*bbolt.Tx) error) (errs []error) {
		var all []*change
		for _, do := range does {
			all = append(all, &change{do: do})
		}
		c.writeAll(all)
		for _, one := range all {
			errs = append(errs, one.err)
		}
		return errs
	}
	if errs := write(put("a"), refuse, put("b")); errs[0] != nil || !errors.Is(errs[1], ErrFull) || errs[2] != nil {
		t.Errorf("a refusal: %v", errs)
	}
	if errs := write(put("c"), refuse, func(*bbolt.Tx) error { return broken }, put("d")); slices.ContainsFunc(errs, func(e error) bool { return !errors.Is(e, broken) }) {
		t.Errorf("a failure: %v", errs)
	}
	var kept string
	_ = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, _ *bbolt.Bucket) error { kept += string(name); return nil })
	})
	if kept != "ab" {
		t.Errorf("kept %q", kept)
	}
}

// Many who write at once take fewer transactions than there are changes.
func TestChangesAreGathered(t *testing.T) {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const writers = 50
	c := &commits{db: db}
	transactions := map[int]bool{}
	var all sync.WaitGroup
	c.turn.Lock() // somebody is writing
	for range writers {
		all.Go(func() {
			if err := c.write(func(tx *bbolt.Tx) error { transactions[tx.ID()] = true; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	awaitPending(t, c, writers)
	c.turn.Unlock()
	all.Wait()
	if len(transactions) != 1 {
		t.Errorf("%d transactions", len(transactions))
	}
}

// A change that panics acknowledges nobody else's.
func TestAPanicAcknowledgesNothing(t *testing.T) {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := &commits{db: db}
	ends := make(chan error, 2)
	write := func(do func(*bbolt.Tx) error) {
		defer func() {
			if recover() != nil {
				ends <- nil
			}
		}()
		ends <- c.write(do)
	}
	c.turn.Lock() // somebody is writing
	for range 2 {
		go write(func(*bbolt.Tx) error { panic("broken") })
	}
	awaitPending(t, c, 2)
	c.turn.Unlock()
	if first, second := <-ends, <-ends; (first == nil) == (second == nil) {
		t.Errorf("one is to panic, the other to fail and not to be acknowledged: %v, %v", first, second)
	}
}

func awaitPending(t *testing.T, c *commits, n int) {
	t.Helper()
	eventually(t, "changes to be waiting", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.pending) == n
	})
}
