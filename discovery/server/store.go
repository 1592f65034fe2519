package server

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Store keeps tokens and what members registered under them. It must be safe
// for concurrent use and must not acknowledge a change before it is durable.
//
// Every token has an index that grows with each of its changes and survives
// restarts; an entry's index is that of its creation and never changes. The
// index 0 is before everything.
type Store interface {
	// Create adds a token for a cluster of size members. It fails with ErrNoRoom
	// where the store is bounded.
	Create(ctx context.Context, token string, size int) error

	// Load returns all that is known about a token, or ErrUnknownToken.
	Load(ctx context.Context, token string) (Directory, error)

	// Register adds an entry in the token's next place. It fails with
	// ErrUnknownToken; with ErrExists, then with the entry that is there; and
	// with ErrFull when the token holds limit entries already; and with
	// ErrClash for a founder with another founder's name or peer URL. The
	// second result is the token's index.
	Register(ctx context.Context, token, id, value string, limit int) (Entry, uint64, error)

	// Remove deletes an entry and returns it with the token's new index. It
	// fails with ErrUnknownToken, ErrUnknownMember, and ErrFounder for the
	// first size places: they are never freed.
	Remove(ctx context.Context, token, id string) (Entry, uint64, error)

	// Wait returns nil as soon as the token's index is above after, and the
	// context's error when that ends first.
	Wait(ctx context.Context, token string, after uint64) error

	// Expire deletes the tokens that were made before that time and never got
	// complete, and tells how many; those who wait are let go. A token that
	// had all its founders stays for good: its places must never be free.
	Expire(ctx context.Context, before time.Time) (int, error)

	// Close ends the use of the store.
	Close() error
}

// What a Store reports about a request that cannot be served.
var (
	ErrUnknownToken  = errors.New("unknown discovery token")
	ErrUnknownMember = errors.New("unknown member")
	ErrExists        = errors.New("member is registered already")
	ErrFull          = errors.New("too many members are registered")
	ErrFounder       = errors.New("member holds one of the founders' places")
	ErrNoRoom        = errors.New("the store is full, and takes no more than the founders of the tokens it has")
	ErrNoSpace       = errors.New("the store has no space left")
)

// Directory is one token with its entries.
type Directory struct {
	Index   uint64  // of the last change
	Created uint64  // index of the token itself
	Size    int     // members that found the cluster
	Entries []Entry // by place, that is by index
}

// Entry is one registration, byte for byte as the member sent it.
type Entry struct {
	ID    string // member ID, lower case hex without leading zeros
	Value string // name=peerURL[,name=peerURL]
	Index uint64 // of its creation
}

// Find returns the entry of a member.
func (d Directory) Find(id string) (Entry, bool) {
	for _, e := range d.Entries {
		if e.ID == id {
			return e, true
		}
	}
	return Entry{}, false
}

// Complete tells whether all founders' places are taken.
func (d Directory) Complete() bool { return len(d.Entries) >= d.Size }

// maxBytes is how many bytes the registrations of a token may have, founders
// and all, for one more behind the founders: whoever reads them reads all.
const maxBytes = 256 << 10

// Admit tells why a new entry may not be added: nil, ErrFull or ErrClash.
func (d Directory) Admit(value string, limit int) error {
	switch {
	case len(d.Entries) >= limit || d.Complete() && d.bytes()+len(value) > maxBytes:
		return ErrFull
	case d.clashes(value):
		return ErrClash
	}
	return nil
}

func (d Directory) bytes() int {
	n := 0
	for _, e := range d.Entries {
		n += len(e.Value)
	}
	return n
}

// Removable returns the entry of a member that may be removed, or
// ErrUnknownMember or ErrFounder.
func (d Directory) Removable(id string) (Entry, error) {
	place := slices.IndexFunc(d.Entries, func(e Entry) bool { return e.ID == id })
	switch {
	case place < 0:
		return Entry{}, ErrUnknownMember
	case place < d.Size:
		return Entry{}, ErrFounder
	}
	return d.Entries[place], nil
}
