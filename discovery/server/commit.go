package server

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// healPause is how long a file that cannot be written is let be: who reads
// meanwhile is told what was wrong.
const healPause = time.Second

// database is what is used of a bbolt.DB.
type database interface {
	Begin(writable bool) (*bbolt.Tx, error)
	Update(func(*bbolt.Tx) error) error
}

// commits writes changes to a file, and shows no change before it is durable.
//
// A sync takes far longer than a change, so changes that come during one are
// written together by the next.
//
// bbolt writes the page that makes a transaction the newest one, and syncs it
// then: whoever reads in between sees what a power cut may undo, and so does
// everybody after a sync that failed. So a reader compares the number of the
// transaction it sees with that of the last one that was synced.
type commits struct {
	db     database
	resync func() error // writes and syncs that page again

	durable atomic.Int64 // the newest transaction that was synced

	mu      sync.Mutex
	pending []*change

	turn     sync.RWMutex // of who writes, or waits for who writes
	healed   time.Time    // when resync failed last
	unhealed error        // of what
}

// newCommits needs no transaction of the file to be durable: that of one which
// an earlier process wrote may have failed to be synced.
func newCommits(db database, resync func() error) *commits { return &commits{db: db, resync: resync} }

// change is one of several in a transaction. Where it refuses, it must not
// have changed anything.
type change struct {
	do   func(*bbolt.Tx) error
	err  error
	done bool
}

// write makes one change, and returns when it is durable or refused.
func (c *commits) write(do func(*bbolt.Tx) error) error {
	own := &change{do: do}
	c.mu.Lock()
	c.pending = append(c.pending, own)
	c.mu.Unlock()

	c.turn.Lock()
	defer c.turn.Unlock()
	if !own.done { // nobody before us took it along
		c.writeAll(c.take())
	}
	if !own.done {
		return errPanicked
	}
	return own.err
}

// errPanicked is of a change that was taken along by one that panicked.
var errPanicked = errors.New("the change was not written")

func (c *commits) take() []*change {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.pending
	c.pending = nil
	return all
}

// writeAll makes the changes in one transaction. A failure that is no refusal
// undoes it, for all.
func (c *commits) writeAll(all []*change) {
	failed := c.heal()
	if failed == nil {
		failed = c.update(all)
	}
	for _, one := range all {
		one.done = true
		if failed != nil {
			one.err = failed
		}
	}
}

func (c *commits) update(all []*change) error {
	var id int
	err := c.db.Update(func(tx *bbolt.Tx) error {
		id = tx.ID()
		for _, one := range all {
			if one.err = one.do(tx); one.err != nil && !isRefusal(one.err) {
				return one.err
			}
		}
		return nil
	})
	if err == nil {
		c.durable.Store(int64(id))
	}
	return err
}

// view reads what is durable.
func (c *commits) view(read func(*bbolt.Tx) error) error {
	seen, err := c.try(read)
	if !seen && err == nil {
		seen, err = c.tryBetween(read)
	}
	if !seen && err == nil {
		err = c.viewHealed(read)
	}
	return err
}

// try reads, unless what it would see is not durable yet.
func (c *commits) try(read func(*bbolt.Tx) error) (seen bool, err error) {
	tx, err := c.db.Begin(false)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	if int64(tx.ID()) > c.durable.Load() {
		return false, nil
	}
	return true, read(tx)
}

// tryBetween reads while nobody writes.
func (c *commits) tryBetween(read func(*bbolt.Tx) error) (bool, error) {
	c.turn.RLock()
	defer c.turn.RUnlock()
	return c.try(read)
}

func (c *commits) viewHealed(read func(*bbolt.Tx) error) error {
	c.turn.Lock()
	defer c.turn.Unlock()
	if err := c.heal(); err != nil {
		return err
	}
	_, err := c.try(read)
	return err
}

// heal makes the newest transaction durable after its sync failed: nobody was
// told that it is there, but it is what all later ones build upon. Its other
// pages were synced before; and a kernel that failed to write a page once does
// not try again by itself, so it is written again.
func (c *commits) heal() error {
	newest, err := c.newest()
	if err != nil || newest <= c.durable.Load() {
		return err
	}
	if c.unhealed != nil && time.Since(c.healed) < healPause {
		return c.unhealed
	}
	c.unhealed = c.resync()
	if c.healed = time.Now(); c.unhealed == nil {
		c.durable.Store(newest)
	}
	return c.unhealed
}

func (c *commits) newest() (int64, error) {
	tx, err := c.db.Begin(false)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	return int64(tx.ID()), nil
}

// isRefusal tells the words of a Store from a failure.
func isRefusal(err error) bool {
	for _, word := range []error{ErrUnknownToken, ErrUnknownMember, ErrExists, ErrFull, ErrFounder, ErrClash, ErrNoRoom} {
		if errors.Is(err, word) {
			return true
		}
	}
	return false
}
