package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/sttts/elastic-etcd/joiner"
)

// lockTimeout is for how long etcd's database may be locked before we say
// that an etcd runs. bbolt itself tries every 50 ms.
const lockTimeout = 100 * time.Millisecond

// readSnap looks, where there is no WAL, for traces of a member that ran:
// then the WAL is lost, and the disk is not fresh. What a failed first start
// leaves behind, a database without members, is fresh.
func readSnap(dir string, d *joiner.Disk) error {
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return wrap("data dir", err)
	}
	for _, e := range names {
		if strings.HasSuffix(e.Name(), ".snap") {
			d.State, d.Detail = joiner.DiskDamaged, fmt.Sprintf("there is no WAL, but %q is a snapshot of a member that ran", filepath.Join(dir, e.Name()))
		}
	}
	return readDB(filepath.Join(dir, "db"), d)
}

// needSnap looks, where the WAL does not begin with entry 0, for a snapshot of
// what came before. A WAL on a disk of its own may be all that is left, and etcd
// dies of it with every start.
func needSnap(dir, segment string, d *joiner.Disk) error {
	var number, first uint64
	_, err := fmt.Sscanf(segment, "%16x-%16x.wal", &number, &first)
	if err != nil || first == 0 || d.State != joiner.DiskData || d.Running {
		return nil // of a name that etcd does not give, its own word is to be had
	}
	names, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap("data dir", err)
	}
	if !slices.ContainsFunc(names, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), ".snap") }) {
		*d = joiner.Disk{State: joiner.DiskDamaged}
		d.Detail = fmt.Sprintf("the WAL begins with entry %d, and %q has no snapshot of what came before", first, dir)
	}
	return nil
}

// readDB looks into the database of etcd 3.
func readDB(path string, d *joiner.Disk) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return wrap("data dir", err)
	case !info.Mode().IsRegular():
		d.State, d.Detail = joiner.DiskDamaged, fmt.Sprintf("%q is not a regular file", path)
		return nil
	case info.Size() == 0:
		return nil // cut off at its very first write
	}
	members, err := hasMembers(path)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		d.Running = true
	case errors.Is(err, fs.ErrPermission):
		return wrap("data dir", err)
	case err != nil:
		d.State, d.Detail = joiner.DiskDamaged, fmt.Sprintf("there is no WAL, and %q cannot be read: %v", path, err)
	case members:
		d.State, d.Detail = joiner.DiskDamaged, fmt.Sprintf("there is no WAL, but %q is of a member that ran", path)
	}
	return nil
}

// hasMembers tells whether an etcd database knows any member. An etcd that
// starts meanwhile waits for the fraction of a millisecond that this takes.
func hasMembers(path string) (found bool, err error) {
	// bbolt maps the file and trusts its pages: a broken one panics, and a
	// file cut short is a memory fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("broken database: %v", r)
		}
	}()
	db, err := bolt.Open(path, 0, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if err != nil {
		return false, err
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		for _, name := range []string{"members", "members_removed"} {
			if b := tx.Bucket([]byte(name)); b != nil {
				key, _ := b.Cursor().First()
				found = found || key != nil
			}
		}
		return nil
	})
	return found, err
}
