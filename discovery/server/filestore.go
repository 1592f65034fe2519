package server

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"github.com/sttts/elastic-etcd/discovery/server/internal/wake"
)

// The file: one bucket named for the format, in it one bucket per token. A
// token's bucket counts its index in the bucket's sequence and maps each
// member ID to an encoded entry. The other keys start with an underscore, so
// no member ID collides with them.
const (
	rootBucket = "discovery-v1"
	sizeKey    = "_size"    // encoded entry: the token's index and its size
	bornKey    = "_created" // wall clock, RFC 3339, for expiry
)

// FileStore is a Store in a single bbolt file that one process holds.
type FileStore struct {
	db      *bbolt.DB
	most    int64 // bytes, 0 = any
	commits *commits
	changes wake.Tokens
}

// Bound sets the size in bytes at which the store takes no more tokens, and no
// registrations but those of founders; 0 is none. Call it before anything else.
func (f *FileStore) Bound(most int64) { f.most = most }

// room tells whether the pages in use leave room.
func (f *FileStore) room(tx *bbolt.Tx) error {
	if used := tx.Size() - int64(f.db.Stats().FreeAlloc); f.most > 0 && used >= f.most {
		return ErrNoRoom
	}
	return nil
}

// Close releases the file after the transactions under way.
func (f *FileStore) Close() error { return f.db.Close() }

// Create implements Store.
func (f *FileStore) Create(_ context.Context, token string, size int) error {
	err := f.commits.write(func(tx *bbolt.Tx) error {
		if err := f.room(tx); err != nil {
			return err
		}
		b, err := tx.Bucket([]byte(rootBucket)).CreateBucket([]byte(token))
		if err != nil {
			return err
		}
		index, err := b.NextSequence()
		if err != nil {
			return err
		}
		if err := b.Put([]byte(bornKey), []byte(time.Now().UTC().Format(time.RFC3339))); err != nil {
			return err
		}
		return b.Put([]byte(sizeKey), encode(index, strconv.Itoa(size)))
	})
	return wrap("create discovery token", err)
}

// Load implements Store.
func (f *FileStore) Load(_ context.Context, token string) (dir Directory, err error) {
	err = f.commits.view(func(tx *bbolt.Tx) error {
		b, err := tokenBucket(tx, token)
		if err != nil {
			return err
		}
		dir, err = load(b)
		return err
	})
	return dir, wrap("read discovery token", err)
}

// Register implements Store.
func (f *FileStore) Register(_ context.Context, token, id, value string, limit int) (e Entry, index uint64, err error) {
	err = f.commits.write(func(tx *bbolt.Tx) error {
		b, err := tokenBucket(tx, token)
		if err != nil {
			return err
		}
		e, index, err = register(b, id, value, limit, func() error { return f.room(tx) })
		return err
	})
	if err == nil {
		f.changes.Notify(token)
	}
	return e, index, wrap("register member", err)
}

func register(b *bbolt.Bucket, id, value string, limit int, room func() error) (Entry, uint64, error) {
	if old := b.Get([]byte(id)); old != nil {
		e, err := decode(id, old)
		if err != nil {
			return Entry{}, 0, err
		}
		return e, b.Sequence(), ErrExists
	}
	dir, err := load(b)
	if err != nil {
		return Entry{}, 0, err
	}
	if err := dir.Admit(value, limit); err != nil {
		return Entry{}, dir.Index, err
	}
	if err := room(); err != nil && dir.Complete() {
		return Entry{}, dir.Index, err
	}
	index, err := b.NextSequence()
	if err != nil {
		return Entry{}, 0, err
	}
	return Entry{ID: id, Value: value, Index: index}, index, b.Put([]byte(id), encode(index, value))
}

// Remove implements Store.
func (f *FileStore) Remove(_ context.Context, token, id string) (e Entry, index uint64, err error) {
	err = f.commits.write(func(tx *bbolt.Tx) error {
		b, err := tokenBucket(tx, token)
		if err != nil {
			return err
		}
		e, index, err = remove(b, id)
		return err
	})
	if err == nil {
		f.changes.Notify(token)
	}
	return e, index, wrap("remove member", err)
}

func remove(b *bbolt.Bucket, id string) (Entry, uint64, error) {
	dir, err := load(b)
	if err != nil {
		return Entry{}, 0, err
	}
	e, err := dir.Removable(id)
	if err != nil {
		return Entry{}, dir.Index, err
	}
	index, err := b.NextSequence()
	if err != nil {
		return Entry{}, 0, err
	}
	return e, index, b.Delete([]byte(id))
}

// Wait implements Store. It subscribes before it looks, so that no change
// falls in between.
func (f *FileStore) Wait(ctx context.Context, token string, after uint64) error {
	changed, stop := f.changes.Subscribe(token)
	defer stop()
	for {
		index, err := f.index(token)
		if err != nil || index > after {
			return wrap("wait for discovery token", err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *FileStore) index(token string) (index uint64, err error) {
	err = f.commits.view(func(tx *bbolt.Tx) error {
		b, err := tokenBucket(tx, token)
		if err == nil {
			index = b.Sequence()
		}
		return err
	})
	return index, err
}

func tokenBucket(tx *bbolt.Tx, token string) (*bbolt.Bucket, error) {
	b := tx.Bucket([]byte(rootBucket)).Bucket([]byte(token))
	if b == nil {
		return nil, ErrUnknownToken
	}
	return b, nil
}

func load(b *bbolt.Bucket) (Directory, error) {
	size, err := decode(sizeKey, b.Get([]byte(sizeKey)))
	if err != nil {
		return Directory{}, err
	}
	dir := Directory{Index: b.Sequence(), Created: size.Index}
	if dir.Size, err = strconv.Atoi(size.Value); err != nil {
		return Directory{}, fmt.Errorf("size of the token: %w", err)
	}
	err = b.ForEach(func(k, v []byte) error {
		if k[0] == '_' {
			return nil
		}
		e, err := decode(string(k), v)
		dir.Entries = append(dir.Entries, e)
		return err
	})
	slices.SortFunc(dir.Entries, func(a, b Entry) int { return cmp.Compare(a.Index, b.Index) })
	return dir, err
}

// encode puts the index, 8 bytes big endian, before the value as it came.
func encode(index uint64, value string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, index), value...)
}

func decode(id string, b []byte) (Entry, error) {
	if len(b) < 8 {
		return Entry{}, fmt.Errorf("damaged entry %q: %d bytes", id, len(b))
	}
	return Entry{ID: id, Value: string(b[8:]), Index: binary.BigEndian.Uint64(b)}, nil
}

func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}
