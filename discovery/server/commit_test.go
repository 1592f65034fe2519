package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

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
	c := newCommits(db, func() error { return nil })
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
	c := newCommits(db, func() error { return nil })
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
	c := newCommits(db, func() error { return nil })
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

// unsynced is a file of which the last sync of each transaction hangs or fails:
// what it wrote can be seen.
type unsynced struct {
	database
	sync func() error
}

func (u *unsynced) Update(do func(*bbolt.Tx) error) error {
	if err := u.database.Update(do); err != nil {
		return err
	}
	return u.sync()
}

// onUnsynced is a store with one token, "t", whose syncs are the test's from
// now on.
func onUnsynced(t *testing.T, sync func() error) *FileStore {
	t.Helper()
	store, err := Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := store.Create(t.Context(), "t", 3); err != nil {
		t.Fatal(err)
	}
	store.commits.db, store.commits.resync = &unsynced{store.db, sync}, sync
	return store
}

// Nobody sees a registration while it is being synced: a power cut may undo it.
func TestNothingIsSeenBeforeItIsSynced(t *testing.T) {
	syncing, synced := make(chan bool), make(chan bool)
	store := onUnsynced(t, func() error { syncing <- true; <-synced; return nil })
	registered := make(chan error)
	go func() {
		_, _, err := store.Register(t.Context(), "t", "1", "a=http://h:1", 9)
		registered <- err
	}()
	<-syncing
	if seen, err := store.commits.try(func(*bbolt.Tx) error { return nil }); seen || err != nil {
		t.Errorf("seen %v, %v", seen, err)
	}
	read := make(chan Directory)
	go func() {
		dir, err := store.Load(t.Context(), "t")
		if err != nil {
			t.Error(err)
		}
		read <- dir
	}()
	synced <- true
	if dir, err := <-read, <-registered; err != nil || len(dir.Entries) != 1 {
		t.Errorf("synced: %+v, %v", dir, err)
	}
}

// What failed to be synced is not seen, by nobody, until it is synced.
func TestNothingIsSeenWhoseSyncFailed(t *testing.T) {
	broken := errors.New("broken")
	sync := broken
	store := onUnsynced(t, func() error { return sync })
	for range 2 {
		if _, _, err := store.Register(t.Context(), "t", "1", "a=http://h:1", 9); !errors.Is(err, broken) {
			t.Errorf("register: %v", err)
		}
		if dir, err := store.Load(t.Context(), "t"); !errors.Is(err, broken) {
			t.Errorf("read %+v, %v", dir, err)
		}
		if err := store.Wait(t.Context(), "t", 1); !errors.Is(err, broken) {
			t.Errorf("wait: %v", err)
		}
	}
	sync = nil
	if _, err := store.Load(t.Context(), "t"); !errors.Is(err, broken) {
		t.Errorf("tried again without a pause: %v", err)
	}
	store.commits.healed = time.Time{}
	if dir, err := store.Load(t.Context(), "t"); err != nil || len(dir.Entries) != 1 || dir.Entries[0].Index != 2 {
		t.Errorf("synced: %+v, %v", dir, err)
	}
	if _, _, err := store.Register(t.Context(), "t", "1", "a=http://h:1", 9); !errors.Is(err, ErrExists) {
		t.Errorf("again: %v", err)
	}
}

// A failure before anything was written stops no reader.
func TestAFailedChangeStopsNoReader(t *testing.T) {
	broken := errors.New("broken")
	store := onUnsynced(t, func() error { t.Error("synced"); return nil })
	if err := store.commits.write(func(*bbolt.Tx) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	if dir, err := store.Load(t.Context(), "t"); err != nil || dir.Index != 1 {
		t.Errorf("%+v, %v", dir, err)
	}
}

// The pages that are synced again are those that are there.
func TestSyncMeta(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	store, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.commits.resync(); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file is another, %v", err)
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
