package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockTimeout is how long Open waits for another process to let go of the
// file: enough for a restart that overlaps, short enough to be told soon.
const lockTimeout = time.Second

// ErrDamaged is of a file that holds a store and cannot be read.
var ErrDamaged = errors.New("damaged")

// ErrForeign is of a database that is somebody else's.
var ErrForeign = errors.New("not a discovery store")

// Open opens the store in the file at path and creates it with mode 0600 if
// it is missing. It fails after a second when another process holds the file,
// and at once when the file is something else than a discovery store, or is
// damaged.
func Open(path string) (*FileStore, error) {
	store, err := open(path)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("open discovery store %s: another process holds it", path)
	case isDamage(err):
		return nil, fmt.Errorf("open discovery store: the file %s is %w: restore it from a copy (%v)", path, ErrDamaged, err)
	case err != nil:
		return nil, fmt.Errorf("open discovery store %s: %w", path, err)
	}
	return store, nil
}

// isDamage tells whether a file is not what bbolt wrote: both pages that say what
// the newest transaction is make no sense, or are not there. A file without
// anything is new, or was to be one when the power went.
func isDamage(err error) bool {
	for _, word := range []error{ErrDamaged, bolterrors.ErrInvalid, bolterrors.ErrVersionMismatch, bolterrors.ErrChecksum} {
		if errors.Is(err, word) {
			return true
		}
	}
	return err != nil && strings.HasPrefix(err.Error(), "file size too small") // bbolt has no variable for it
}

// open takes a panic for damage, and so a page that is not there. Nothing is
// closed then, bbolt may hold its own locks: it is for the process to end.
func open(path string) (_ *FileStore, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, broken)
		}
	}()
	var file *os.File // bbolt's own: the path may lead elsewhere later
	openFile := func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, OpenFile: openFile})
	if err != nil {
		return nil, err
	}
	c := newCommits(db, func() error { return syncMeta(file, db.Info().PageSize) })
	if err := prepare(db, c, path); err != nil {
		db.Close()
		return nil, err
	}
	return &FileStore{db: db, commits: c}, nil
}

// prepare makes sure that the file is ours before anything is written to it:
// somebody may point us at the database of an etcd. The directory is synced
// because bbolt syncs the new file only, not its name.
func prepare(db *bbolt.DB, c *commits, path string) error {
	for _, check := range []func(*bbolt.Tx) error{checkOurs, checkSize, checkPages} {
		if err := db.View(check); err != nil {
			return err
		}
	}
	err := c.write(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists([]byte(rootBucket))
		return err
	})
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func checkOurs(tx *bbolt.Tx) error {
	first, _ := tx.Cursor().First()
	if first != nil && tx.Bucket([]byte(rootBucket)) == nil {
		return fmt.Errorf("%w: it holds bucket %q", ErrForeign, first)
	}
	return nil
}

// checkSize wants a file that has all its pages: behind its end is nothing to
// read, and the process would die of it.
func checkSize(tx *bbolt.Tx) error {
	info, err := os.Stat(tx.DB().Path())
	if err == nil && info.Size() < tx.Size() {
		err = fmt.Errorf("%w: it has %d bytes of %d", ErrDamaged, info.Size(), tx.Size())
	}
	return err
}

// checkPages looks at everything: bbolt panics where a page is not what it is
// to be, and later that would end the service.
func checkPages(tx *bbolt.Tx) error {
	root := tx.Bucket([]byte(rootBucket))
	if root == nil {
		return nil
	}
	return root.ForEachBucket(func(token []byte) error {
		return root.Bucket(token).ForEach(func(_, _ []byte) error { return nil })
	})
}

// syncMeta writes and syncs the two pages of which one says what the newest
// transaction is.
func syncMeta(file *os.File, pageSize int) error {
	pages := make([]byte, 2*pageSize)
	if _, err := file.ReadAt(pages, 0); err != nil {
		return err
	}
	if _, err := file.WriteAt(pages, 0); err != nil {
		return err
	}
	return file.Sync()
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
