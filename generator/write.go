package generator

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sttts/elastic-etcd/smallfile"
)

// Write puts content into a file, whole or not at all: a reader sees the old
// file or the new one, also after a crash. A file that has that content
// already is not touched. Directories are made as needed.
func Write(path string, content []byte, mode fs.FileMode) (changed bool, err error) {
	old, err := smallfile.Read(path)
	if err == nil && bytes.Equal(old, content) {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("write %s: %w", path, err)
	}
	if err := makeDir(filepath.Dir(path)); err != nil {
		return false, fmt.Errorf("write %s: %w", path, err)
	}
	if err := replace(path, content, mode); err != nil {
		return false, fmt.Errorf("write %s: %w", path, err)
	}
	return true, nil
}

// makeDir makes a directory that everybody may read, whatever the umask is:
// systemctl cat shows a unit to all users.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o755)
}

// replace writes beside the file and renames. The name is hidden and does not
// end in .conf, so that systemd never reads a half-written one.
func replace(path string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // nothing is left to remove after the rename
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
