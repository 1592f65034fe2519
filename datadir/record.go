package datadir

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/sttts/elastic-etcd/joiner"
)

// The founder record is a file in the data dir. It counts only together with
// a marker of the same nonce inside member/, which goes when an admin deletes
// member/ or an archive takes it away: then the record is spent.
const (
	recordFile = "elastic-etcd-founder.json"
	markerFile = "member/elastic-etcd-founder"
	walMarker  = "elastic-etcd-founder" // in the WAL dir
	maxFile    = 64 << 10               // a token is a URL
)

// WriteRecord writes down that this host is about to register as a founder
// and that its etcd never ran: token and member ID of r, with a fresh nonce.
// It makes the data dir if there is none. A crash leaves no record or a whole
// one. An unspent record that says the same already is kept.
//
// With r.WALMarker there is a marker in the WAL dir too: it ends with the
// moment at which etcd 3 makes its WAL (storage/wal/wal.go, renameWAL), so
// that a WAL that is lost later is missed even if member/ stays.
func WriteRecord(dataDir, walDir string, r joiner.Record) error {
	r.Nonce, r.Spent = rand.Text(), false
	if err := makeDir(dataDir); err != nil {
		return wrap("make data dir", err)
	}
	walDir = walDirOf(dataDir, walDir)
	return locking(dataDir, "write founder record", func(root *os.Root) error {
		if err := leadsOut(root, "member"); err != nil {
			return err
		}
		if old, err := load(root); err == nil && old != nil && marked(root, walDir, old) && old.Token == r.Token && old.MemberID == r.MemberID {
			return nil
		}
		// The old record goes first: with the new marker it would look like
		// one whose member/ is gone.
		if err := remove(root, recordFile); err != nil {
			return err
		}
		if err := mkdirIn(root, "member"); err != nil {
			return err
		}
		if err := writeFile(root, markerFile, []byte(r.Nonce+"\n")); err != nil {
			return err
		}
		if err := markWAL(walDir, r); err != nil {
			return err
		}
		return store(root, &r)
	})
}

// ErrLink is of a link that leads out of the data dir, or nowhere. etcd follows
// it, but who etcd runs as may have planted it, and root writes here.
var ErrLink = errors.New("a link that leads out of the data dir")

func leadsOut(root *os.Root, name string) error {
	target, err := root.Readlink(name)
	if err != nil {
		return nil // it is no link
	}
	if _, err := root.Stat(name); err != nil {
		return fmt.Errorf("%s is %w, to %q", name, ErrLink, target)
	}
	return nil
}

// markWAL puts the marker into the WAL dir, which may be on another disk.
func markWAL(walDir string, r joiner.Record) error {
	if !r.WALMarker {
		return nil
	}
	if err := makeDir(walDir); err != nil {
		return err
	}
	root, err := os.OpenRoot(walDir)
	if err != nil {
		return err
	}
	defer root.Close()
	return writeFile(root, walMarker, []byte(r.Nonce+"\n"))
}

// MarkSpent notes in the founder record that etcd has run. It writes only
// where there is a record that is not marked yet.
func MarkSpent(dataDir string) error {
	if _, err := os.Stat(dataDir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return locking(dataDir, "mark founder record spent", func(root *os.Root) error {
		r, err := load(root)
		if err != nil || r == nil || r.Spent {
			return err
		}
		r.Spent = true
		return store(root, r)
	})
}

// readRecord gives the founder record, nil when there is none. It is spent
// when it says so, when there is or was a WAL, and when its marker is gone.
func readRecord(dataDir, walDir string, d joiner.Disk) (*joiner.Record, error) {
	root, err := os.OpenRoot(dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap("data dir", err)
	}
	defer root.Close()
	r, err := load(root)
	if err != nil || r == nil {
		return nil, wrap("founder record in "+dataDir, err)
	}
	r.Spent = r.Spent || d.State != joiner.DiskFresh || !r.WALMarker && ran23(root) || !marked(root, walDir, r)
	return r, nil
}

// ran23 tells whether an etcd 2.3 wrote a WAL that is lost since: it makes
// member/snap right before the WAL. An etcd 3 makes it early, and from 3.6 on may
// fail before there is a database in it; it is told by its marker.
func ran23(root *os.Root) bool {
	if _, err := root.Stat("member/snap"); err != nil {
		return false
	}
	_, err := root.Stat("member/snap/db")
	return errors.Is(err, fs.ErrNotExist)
}

// marked tells whether all markers of a record are where it put them.
func marked(root *os.Root, walDir string, r *joiner.Record) bool {
	if r.Nonce == "" || r.Spent || !holds(root, markerFile, r.Nonce) {
		return false
	}
	if !r.WALMarker {
		return true
	}
	wal, err := os.OpenRoot(walDir)
	if err != nil {
		return false
	}
	defer wal.Close()
	return holds(wal, walMarker, r.Nonce)
}

func holds(root *os.Root, name, nonce string) bool {
	b, err := readFile(root, name)
	return err == nil && strings.TrimSpace(string(b)) == nonce
}

// load reads the record file. One that makes no sense is a spent record: it
// cannot prove anything, and there once was one.
func load(root *os.Root) (*joiner.Record, error) {
	b, err := readFile(root, recordFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, errNoContent):
		return &joiner.Record{Spent: true}, nil
	case err != nil:
		return nil, err
	}
	var r joiner.Record
	if json.Unmarshal(b, &r) != nil {
		return &joiner.Record{Spent: true}, nil
	}
	return &r, nil
}

func store(root *os.Root, r *joiner.Record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return writeFile(root, recordFile, append(b, '\n'))
}
