package server

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// What is undone, because another change of the same transaction fails, has
// not expired.
func TestExpireCountsWhatIsWritten(t *testing.T) {
	f, err := Open(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Create(t.Context(), "old", 3); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	broken := errors.New("broken")
	type end struct {
		n   int
		err error
	}
	ends := make(chan end, 1)
	f.commits.turn.Lock() // somebody is writing
	go func() {
		n, err := f.Expire(t.Context(), later)
		ends <- end{n, err}
	}()
	awaitPending(t, f.commits, 1)
	go f.commits.write(func(*bbolt.Tx) error { return broken })
	awaitPending(t, f.commits, 2)
	f.commits.turn.Unlock()
	if got := <-ends; got.n != 0 || !errors.Is(got.err, broken) {
		t.Errorf("undone: %d have expired, %v", got.n, got.err)
	}
	if n, err := f.Expire(t.Context(), later); n != 1 || err != nil {
		t.Errorf("the token is still there: %d have expired, %v", n, err)
	}
}
