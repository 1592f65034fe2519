package datadir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

var (
	noon  = time.Date(2026, 1, 2, 12, 0, 0, 0, time.FixedZone("", 3600))
	stamp = ".removed-20260102T110000Z"
)

func TestArchive(t *testing.T) {
	dir := recorded(t, nil)
	plant(t, dir, map[string]string{seg0: wal(1, 2, 0), "member/snap/db": database(t, "members"), "lost+found/": ""})
	made, err := Archive(dir, "", noon)
	if want := []string{filepath.Join(dir, "member"+stamp)}; err != nil || !reflect.DeepEqual(made, want) {
		t.Fatalf("got %q, %v", made, err)
	}
	if _, err := os.Stat(filepath.Join(made[0], "wal", filepath.Base(seg0))); err != nil {
		t.Error(err)
	}
	if d := read(t, dir, ""); d.State != joiner.DiskFresh {
		t.Errorf("after it: %+v", d)
	}
	wantRecord(t, "after it", dir, true)
	if made, err := Archive(dir, "", noon); err != nil || made != nil {
		t.Errorf("again: %q, %v", made, err)
	}
}

// TestArchiveWALDir begins where a crash ended between the two renames: what is
// left is seen as data, and put aside too.
func TestArchiveWALDir(t *testing.T) {
	dir, walDir := withWALDir(t)
	if err := os.Rename(filepath.Join(dir, "member"), filepath.Join(dir, "member"+stamp)); err != nil {
		t.Fatal(err)
	}
	if d := read(t, dir, walDir); d.State != joiner.DiskData || d.MemberID != 1 {
		t.Errorf("half way: %+v", d)
	}
	made, err := Archive(dir, walDir+"/", noon)
	if want := []string{walDir + stamp}; err != nil || !reflect.DeepEqual(made, want) {
		t.Fatalf("got %q, %v", made, err)
	}
	if d := read(t, dir, walDir); d.State != joiner.DiskFresh || !d.Record.Spent {
		t.Errorf("after it: %+v", d)
	}
}

// withWALDir is a data dir with a WAL dir elsewhere, and in a parent of its own.
func withWALDir(t *testing.T) (dir, walDir string) {
	t.Helper()
	dir, walDir = recorded(t, nil), filepath.Join(t.TempDir(), "wal")
	plant(t, dir, map[string]string{"member/snap/db": database(t, "members")})
	plant(t, walDir, map[string]string{filepath.Base(seg0): wal(1, 2, 0)})
	return dir, walDir
}

// TestArchiveNameTaken wants nothing to be moved when one of two cannot be.
func TestArchiveNameTaken(t *testing.T) {
	dir, walDir := withWALDir(t)
	mkdir(t, walDir+stamp)
	made, err := Archive(dir, walDir, noon)
	if err == nil || made != nil || !strings.HasSuffix(err.Error(), "exists") {
		t.Errorf("got %q, %v", made, err)
	}
	if d := read(t, dir, walDir); d.State != joiner.DiskData || strings.Contains(list(t, dir), stamp) {
		t.Errorf("got %+v\n%s", d, list(t, dir))
	}
}

// TestMoveAllOrNone: what is seen only when it is tried, such as a directory
// that is gone meanwhile, leaves nothing half done.
func TestMoveAllOrNone(t *testing.T) {
	dir := tree(t, map[string]string{"a/file": "", "b/file": ""})
	in := func(name string) string { return filepath.Join(dir, name) }
	before := list(t, dir)
	made, err := moveAll([]move{{in("a"), in("a.removed")}, {in("none"), in("none.removed")}})
	if !errors.Is(err, fs.ErrNotExist) || made != nil || list(t, dir) != before {
		t.Errorf("got %q, %v\n%s", made, err, list(t, dir))
	}
	made, err = moveAll([]move{{in("a"), in("a.removed")}, {in("b"), in("b.removed")}})
	if want := []string{in("a.removed"), in("b.removed")}; err != nil || !reflect.DeepEqual(made, want) {
		t.Errorf("got %q, %v", made, err)
	}
}

func TestArchiveWALDirInside(t *testing.T) {
	dir := tree(t, map[string]string{"member/waldir/" + filepath.Base(seg0): wal(1, 2, 0)})
	made, err := Archive(dir, filepath.Join(dir, "member", "waldir"), noon)
	if err != nil || len(made) != 1 {
		t.Errorf("got %q, %v", made, err)
	}
	dir = tree(t, map[string]string{"x/" + seg0: wal(1, 2, 0)})
	for _, walDir := range []string{dir, filepath.Join(dir, "x")} {
		if made, err := Archive(filepath.Join(dir, "x"), walDir, noon); err == nil || len(made) != 0 {
			t.Errorf("WAL dir %s over the data dir: %q, %v", walDir, made, err)
		}
	}
}

func TestArchiveTooMany(t *testing.T) {
	files := map[string]string{seg0: wal(1, 2, 0), "member.removed-1/": "", "member.removed-2/": ""}
	if made, err := Archive(tree(t, files), "", noon); err != nil || len(made) != 1 {
		t.Errorf("two: %q, %v", made, err)
	}
	files["member.removed-3/"] = ""
	dir := tree(t, files)
	before := list(t, dir)
	made, err := Archive(dir, "", noon)
	if err == nil || !strings.HasSuffix(err.Error(), "3 archives already: member.removed-1, member.removed-2, member.removed-3") || made != nil {
		t.Errorf("three: %q, %v", made, err)
	}
	if after := list(t, dir); after != before {
		t.Errorf("changed:\n%s", after)
	}
}

// TestArchiveTooManyWALs wants nothing to be moved when one of two cannot be.
func TestArchiveTooManyWALs(t *testing.T) {
	dir, wals := tree(t, map[string]string{"member/snap/": ""}), t.TempDir()
	plant(t, wals, map[string]string{"wal/" + filepath.Base(seg0): wal(1, 2, 0), "wal.removed-1/": "", "wal.removed-2/": "", "wal.removed-3/": ""})
	made, err := Archive(dir, filepath.Join(wals, "wal"), noon)
	if err == nil || made != nil || !strings.Contains(list(t, dir), "member/snap") {
		t.Errorf("got %q, %v\n%s", made, err, list(t, dir))
	}
}
