package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
)

// localEtcd says where the version of this host's etcd comes from.
type localEtcd struct {
	told    bool           // or of no matter: nothing is asked
	version joiner.Version // as told; zero = any
	binary  string         // to ask; "" = what PATH has
	unit    string         // that starts the binary; "" = the admin gives it
}

// ownEtcd is this host's etcd as it is now: whoever waits, for months where it
// stands by, may start another one than was there at first.
type ownEtcd struct {
	localEtcd
	file  os.FileInfo // of what answered last, nil = nothing did
	asked time.Time
	last  joiner.Version
	err   error
	known bool // it was
}

// missing tells whether what told its version before does not now: a package may
// be just being installed.
func (e *ownEtcd) missing(now joiner.Version) bool { return e.known && !now.Known() }

// look gives its version, and asks only where the last answer may be another's.
func (e *ownEtcd) look(ctx context.Context) (joiner.Version, error) {
	if !e.told && e.holds() {
		return e.last, e.err
	}
	return e.ask(ctx)
}

// askAgain is for how long no answer is one: what is being copied cannot run.
const askAgain = 5 * time.Second

// holds tells whether the file that answered is still there as it was.
func (e *ownEtcd) holds() bool {
	file, err := os.Stat(e.path())
	if err != nil || e.file == nil || e.err != nil && time.Since(e.asked) > askAgain {
		return false
	}
	return os.SameFile(file, e.file) && file.ModTime().Equal(e.file.ModTime()) && file.Size() == e.file.Size()
}

// ask asks in any case. The file is looked at before, so that one which takes
// its place meanwhile is asked the next time.
func (e *ownEtcd) ask(ctx context.Context) (joiner.Version, error) {
	path := e.path()
	if e.told || path == "" {
		return e.version, nil
	}
	e.file, _ = os.Stat(path)
	e.asked = time.Now()
	if e.err = e.askable(path); e.err == nil {
		e.last, e.err = etcdapi.LocalVersion(ctx, path)
	}
	if e.err != nil {
		e.last = joiner.Version{}
	}
	e.known = e.known || e.err == nil
	return e.last, e.err
}

// path is the file to ask, "" = there is none.
func (e *ownEtcd) path() string {
	if e.binary != "" {
		return e.binary
	}
	for _, name := range []string{"etcd", "etcd2"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// askable keeps from running a unit's script, which may start an etcd whatever
// it is given.
func (e *ownEtcd) askable(path string) error {
	if e.unit == "" {
		return nil
	}
	script, err := isScript(path)
	if err != nil {
		return fmt.Errorf("%s starts it: %w", e.unit, err)
	}
	if script {
		return fmt.Errorf("%s starts a script, %s, which is not asked (-etcd-binary or -etcd-version tells)", e.unit, path)
	}
	return nil
}

func isScript(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [2]byte
	if _, err := io.ReadFull(f, head[:]); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	return string(head[:]) == "#!", nil
}
