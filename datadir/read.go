// Package datadir reads from an etcd data dir which member it belongs to,
// keeps the founder record in it, and archives the data of a removed member.
package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sttts/elastic-etcd/joiner"
)

// Read tells what a data dir holds. walDir "" is <dataDir>/member/wal, etcd's
// default. Nothing is written and no lock is kept, so a running or starting
// etcd is not disturbed. An error names a path that could not be looked at;
// data that makes no sense is no error but DiskDamaged.
func Read(dataDir, walDir string) (joiner.Disk, error) {
	if err := mayBeDir(dataDir); err != nil {
		return joiner.Disk{}, err
	}
	walDir = walDirOf(dataDir, walDir)
	segments, err := listSegments(walDir)
	if err != nil {
		return joiner.Disk{}, err
	}
	d := joiner.Disk{State: joiner.DiskFresh}
	if len(segments) > 0 {
		if d, err = readWAL(walDir, segments); err == nil {
			err = needSnap(filepath.Join(dataDir, "member", "snap"), segments[0], &d)
		}
	} else {
		err = readSnap(filepath.Join(dataDir, "member", "snap"), &d)
	}
	if err != nil {
		return joiner.Disk{}, err
	}
	d.ReadOnly = readOnly(dataDir, walDir)
	if d.State == joiner.DiskFresh {
		d.Short = short(walDir)
	}
	d.NoArchive = noArchive(dataDir, walDir, d)
	d.Record, err = readRecord(dataDir, walDir, d)
	return d, err
}

// noArchive says why Archive would refuse.
func noArchive(dataDir, walDir string, d joiner.Disk) string {
	if d.State != joiner.DiskData || d.Running {
		return ""
	}
	dirs, err := archived(dataDir, walDir)
	if err == nil {
		err = mayArchive(dirs)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func walDirOf(dataDir, walDir string) string {
	if walDir == "" {
		return filepath.Join(dataDir, "member", "wal")
	}
	return walDir
}

// mayBeDir wants a path to be a directory, or not to be there at all.
func mayBeDir(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("not a directory")}
	}
	return wrap("data dir", err)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// listSegments lists what makes an etcd 3 believe that there is a WAL
// (storage/wal/util.go, Exist), in the order of their writing. The files
// that etcd allocates ahead end in .tmp.
func listSegments(walDir string) ([]string, error) {
	entries, err := os.ReadDir(walDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".wal") {
			names = append(names, e.Name())
		}
	}
	return names, wrap("wal dir", err)
}

// readWAL takes the IDs from the first segment that can be read: every
// segment starts with them.
func readWAL(walDir string, segments []string) (joiner.Disk, error) {
	d := joiner.Disk{State: joiner.DiskDamaged}
	for _, name := range segments {
		s, err := readSegment(filepath.Join(walDir, name))
		if err != nil {
			return d, wrap("wal dir", err)
		}
		d.Running = d.Running || s.locked
		switch {
		case d.State == joiner.DiskData:
		case s.damage == "":
			d.State, d.MemberID, d.ClusterID, d.Detail = joiner.DiskData, s.member, s.cluster, ""
		case d.Detail == "":
			d.Detail = fmt.Sprintf("WAL segment %s in %q: %s", name, walDir, s.damage)
		}
	}
	return d, nil
}
