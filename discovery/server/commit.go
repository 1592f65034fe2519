package server

import (
	"errors"
	"sync"

	"go.etcd.io/bbolt"
)

// commits writes changes to a file. A sync takes far longer than a change, so
// those that come during one are written together by the next.
type commits struct {
	db *bbolt.DB

	mu      sync.Mutex
	pending []*change

	turn sync.Mutex // of who writes
}

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
	failed := c.db.Update(func(tx *bbolt.Tx) error {
		for _, one := range all {
			if one.err = one.do(tx); one.err != nil && !isRefusal(one.err) {
				return one.err
			}
		}
		return nil
	})
	for _, one := range all {
		one.done = true
		if failed != nil {
			one.err = failed
		}
	}
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
