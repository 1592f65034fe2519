package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"
)

// etcd's own modes (client/pkg/fileutil).
const (
	dirMode  = 0o700
	fileMode = 0o600
)

// errNoContent is for a file that is none of ours: too long, or no file.
var errNoContent = errors.New("not a small regular file")

// locking runs one change in the data dir while no other elastic-etcd makes
// one. It locks the directory itself, which etcd does not, and works inside
// it only, since a link there may be planted by whom etcd runs as.
func locking(dataDir, doing string, change func(*os.Root) error) error {
	root, err := os.OpenRoot(dataDir)
	if err != nil {
		return wrap(doing, err)
	}
	defer root.Close()
	dir, err := root.Open(".")
	if err != nil {
		return wrap(doing, err)
	}
	defer dir.Close()
	if err := lockDir(dir); err != nil {
		return fmt.Errorf("%s: lock %q: %w", doing, dataDir, err)
	}
	return wrap(fmt.Sprintf("%s in %q", doing, dataDir), change(root))
}

// lockPatience bounds the wait for another elastic-etcd, which holds the lock
// for milliseconds.
const lockPatience = 5 * time.Second

// lockDir locks a directory, or says that somebody else keeps it locked.
func lockDir(dir *os.File) error {
	for end := time.Now().Add(lockPatience); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(end) {
			return err
		}
	}
}

func readFile(root *os.Root, name string) ([]byte, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, errNoContent
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// writeFile replaces a file so that a crash leaves the old or the new one.
func writeFile(root *os.Root, name string, data []byte) error {
	tmp := name + ".tmp"
	if err := remove(root, tmp); err != nil {
		return err
	}
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, own(root, tmp), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := root.Rename(tmp, name); err != nil {
		return err
	}
	return syncDir(root, path.Dir(name))
}

func remove(root *os.Root, name string) error {
	err := root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(root, path.Dir(name))
}

func syncDir(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// makeDir makes a directory and those above it, as etcd does.
func makeDir(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	root, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer root.Close()
	return mkdirIn(root, filepath.Base(dir))
}

func mkdirIn(root *os.Root, name string) error {
	err := root.Mkdir(name, dirMode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(own(root, name), syncDir(root, path.Dir(name)))
}

// own gives a new file or directory to the owner of the directory it is in:
// root makes them, but etcd seldom runs as root.
func own(root *os.Root, name string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := root.Stat(path.Dir(name))
	if err != nil {
		return err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return root.Lchown(name, int(s.Uid), int(s.Gid))
}
