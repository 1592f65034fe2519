package server

import (
	"context"
	"errors"
)

// Store keeps tokens and what members registered under them. It must be safe
// for concurrent use and must not acknowledge a change before it is durable.
//
// Every token counts its changes with an index that starts at 1, only grows
// and survives restarts; an entry's index is its creation and never changes.
type Store interface {
	// Create adds a token for a cluster of size members.
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
}

// What a Store reports about a request that cannot be served.
var (
	ErrUnknownToken  = errors.New("unknown discovery token")
	ErrUnknownMember = errors.New("unknown member")
	ErrExists        = errors.New("member is registered already")
	ErrFull          = errors.New("too many members are registered")
	ErrFounder       = errors.New("member holds one of the founders' places")
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

// find returns the entry of a member.
func (d Directory) find(id string) (Entry, bool) {
	for _, e := range d.Entries {
		if e.ID == id {
			return e, true
		}
	}
	return Entry{}, false
}
