package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// maxArchives is how many times data is put aside before a human has to look:
// each archive may be gigabytes.
const maxArchives = 3

// Archive puts the data of a removed member aside, so that the host is fresh:
// member/ becomes member.removed-<UTC time>, and so does a WAL dir elsewhere,
// each beside where it is, since a data dir may be a mount point. Nothing is
// deleted. It moves both or none, returns the archives that there are then,
// and refuses to make a fourth one. Called again after a crash it does what is
// left.
//
// A WAL dir that is a mount point itself cannot be renamed and is refused:
// etcd 3 deletes and renames the WAL dir when it makes a new WAL, so it
// cannot use one either, and would delete an archive inside it.
func Archive(dataDir, walDir string, now time.Time) ([]string, error) {
	dirs, err := idle(dataDir, walDir)
	if err != nil {
		return nil, err
	}
	if err := mayArchive(dirs); err != nil {
		return nil, err
	}
	moves, err := aside(dirs, removedSuffix+now.UTC().Format("20060102T150405Z"))
	if err != nil {
		return nil, err
	}
	if err := MarkSpent(dataDir); err != nil {
		return nil, err
	}
	return moveAll(moves)
}

// idle lists what to put aside, unless an etcd has started on it meanwhile.
func idle(dataDir, walDir string) ([]string, error) {
	d, err := Read(dataDir, walDir)
	if err != nil {
		return nil, wrap("archive", err)
	}
	if d.Running {
		return nil, fmt.Errorf("archive %q: an etcd runs on it", dataDir)
	}
	return archived(dataDir, walDir)
}

const removedSuffix = ".removed-"

// archived lists the directories to put aside, of those that are there. member/
// goes first. What is left by a crash in between is a WAL without member/, which
// is seen as data and archived by the next run; the other way round it would be
// a damaged disk.
func archived(dataDir, walDir string) ([]string, error) {
	member := filepath.Join(dataDir, "member")
	dirs := []string{member}
	if walDir != "" && !inside(member, walDir) {
		if inside(walDir, dataDir) {
			return nil, fmt.Errorf("archive %q: it holds the data dir %q", walDir, dataDir)
		}
		dirs = append(dirs, filepath.Clean(walDir))
	}
	var there []string
	for _, dir := range dirs {
		if _, err := os.Lstat(dir); err == nil {
			there = append(there, dir)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, wrap("archive", err)
		}
	}
	return there, nil
}

// inside tells whether path is dir or below it.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(resolve(dir), resolve(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// resolve gives a path without links, as far as it exists.
func resolve(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	return path
}

func roomFor(dir string) error {
	old, err := archives(dir)
	if err != nil || len(old) < maxArchives {
		return wrap("archive", err)
	}
	return fmt.Errorf("archive %q: there are %d archives already: %s", dir, len(old), strings.Join(old, ", "))
}

// archives are the names of those that lie beside dir.
func archives(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		return nil, err
	}
	var old []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(dir)+removedSuffix) {
			old = append(old, e.Name())
		}
	}
	return old, nil
}

// mayArchive says why these directories must not be put aside now.
func mayArchive(dirs []string) error {
	for _, dir := range dirs {
		if err := roomFor(dir); err != nil {
			return err
		}
		if err := movable(dir); err != nil {
			return fmt.Errorf("archive %q: %w", dir, err)
		}
	}
	return spaceFor(dirs)
}

var errMountPoint = errors.New("it is a mount point, which cannot be renamed")

// spaceFor: the new member will hold about what the old one held, beside it, on
// the same file systems.
func spaceFor(dirs []string) error {
	needed := map[uint64]uint64{} // of each device
	for _, dir := range dirs {
		device, free, err := spaceAt(dir)
		if err != nil {
			return wrap("archive", err)
		}
		if needed[device] += usedIn(dir); needed[device] > free {
			return fmt.Errorf("archive %q: the data takes %d MB, and a new member as large does not fit into the %d MB that are free beside it",
				dirs, needed[device]>>20, free>>20)
		}
	}
	return nil
}

// usedIn is what the files below dir take, in bytes. What cannot be read is not
// counted.
func usedIn(dir string) (sum uint64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			sum += allocated(info)
		}
		return nil
	})
	return sum
}

// move is a directory that gets another name.
type move struct{ from, to string }

// aside gives every directory a new name that nobody has.
func aside(dirs []string, suffix string) ([]move, error) {
	var moves []move
	for _, dir := range dirs {
		m := move{dir, dir + suffix}
		if _, err := os.Lstat(m.to); err == nil {
			return nil, fmt.Errorf("archive %q: %q exists", dir, m.to)
		}
		moves = append(moves, m)
	}
	return moves, nil
}

// moveAll moves all, or none, and returns the new names of what is moved.
func moveAll(moves []move) ([]string, error) {
	for i, m := range moves {
		err := m.do()
		if err == nil {
			continue
		}
		if failed := undo(moves[:i+1]); failed != nil {
			err = fmt.Errorf("%w; and that cannot be undone: %w", err, failed)
		}
		return moved(moves), err
	}
	return moved(moves), nil
}

// undo moves back what was moved, the last one first. Where that fails the
// others stay moved: member/ alone would be a damaged disk.
func undo(moves []move) error {
	for _, m := range slices.Backward(moves) {
		err := move{m.to, m.from}.do()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// moved are the new names that there are.
func moved(moves []move) []string {
	var there []string
	for _, m := range moves {
		if _, err := os.Lstat(m.to); err == nil {
			there = append(there, m.to)
		}
	}
	return there
}

// do returns when the new name is on the disk.
func (m move) do() error {
	err := os.Rename(m.from, m.to)
	if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV) {
		return fmt.Errorf("archive: %w: %w", err, errMountPoint)
	}
	if err != nil {
		return wrap("archive", err)
	}
	parent, err := os.Open(filepath.Dir(m.from))
	if err != nil {
		return wrap("archive", err)
	}
	return wrap("archive", errors.Join(parent.Sync(), parent.Close()))
}
