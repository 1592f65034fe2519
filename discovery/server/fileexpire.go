package server

import (
	"context"
	"time"

	"go.etcd.io/bbolt"
)

// expireBatch bounds a transaction: others wait for it.
const expireBatch = 100

// Expire implements Store.
func (f *FileStore) Expire(ctx context.Context, before time.Time) (n int, err error) {
	old, err := f.expired(before)
	for len(old) > 0 && err == nil && ctx.Err() == nil {
		batch := old[:min(len(old), expireBatch)]
		old = old[len(batch):]
		var dropped int
		err = f.commits.write(func(tx *bbolt.Tx) (err error) {
			dropped, err = dropAll(tx, batch, before)
			return err
		})
		for _, token := range batch {
			f.changes.Notify(token)
		}
		if err == nil { // otherwise it was undone
			n += dropped
		}
	}
	return n, wrap("expire discovery tokens", err)
}

// expired lists the tokens that may go.
func (f *FileStore) expired(before time.Time) (old []string, err error) {
	err = f.commits.view(func(tx *bbolt.Tx) error {
		root := tx.Bucket([]byte(rootBucket))
		return root.ForEachBucket(func(token []byte) error {
			gone, err := isExpired(root.Bucket(token), before)
			if gone {
				old = append(old, string(token))
			}
			return err
		})
	})
	return old, err
}

// isExpired looks at a token. One of which the age cannot be read stays.
func isExpired(b *bbolt.Bucket, before time.Time) (bool, error) {
	born, err := time.Parse(time.RFC3339, string(b.Get([]byte(bornKey))))
	if err != nil || !born.Before(before) {
		return false, nil
	}
	dir, err := load(b)
	return !dir.Complete(), err
}

// dropAll looks again: somebody may have registered meanwhile.
func dropAll(tx *bbolt.Tx, tokens []string, before time.Time) (n int, err error) {
	root := tx.Bucket([]byte(rootBucket))
	for _, token := range tokens {
		gone, err := isExpired(root.Bucket([]byte(token)), before)
		if err == nil && gone {
			err = root.DeleteBucket([]byte(token))
			n++
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}
