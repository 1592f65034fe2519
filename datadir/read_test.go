package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sttts/elastic-etcd/joiner"
)

const (
	seg0 = "member/wal/0000000000000000-0000000000000000.wal"
	seg1 = "member/wal/0000000000000001-0000000000002711.wal"
)

func TestReadFresh(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no directory":                  nil,
		"empty":                         {"./": ""},
		"a mount point":                 {"lost+found/": ""},
		"empty wal dir":                 {"member/wal/": ""},
		"allocated ahead":               {"member/wal/0.tmp": "", "member/wal/1.tmp": ""},
		"cut off while making the WAL":  {"member/wal.tmp/0000000000000000-0000000000000000.wal": ""},
		"failed first start of etcd 2":  {"member/": ""},
		"failed first start of etcd 3":  {"member/snap/db": database(t)},
		"cut off at the database":       {"member/snap/db": ""},
		"archives":                      {"member.removed-20260101T000000Z/wal/0000000000000000-0000000000000000.wal": ""},
		"other files":                   {"member/wal/lost+found/": "", "proxy/": "", "member/snap/tmp123": "x"},
		"a file of another application": {"data.json": "{}"},
	} {
		if d := read(t, tree(t, files), ""); d != (joiner.Disk{State: joiner.DiskFresh}) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestReadData(t *testing.T) {
	want := joiner.Disk{State: joiner.DiskData, MemberID: 0xfedcba9876543210, ClusterID: 0x8000000000000001}
	good := wal(0xfedcba9876543210, 0x8000000000000001, 0)
	later := wal(0xfedcba9876543210, 0x8000000000000001, 0xdeadbeef)
	for name, files := range map[string]map[string]string{
		"one segment":         {seg0: good},
		"first is purged":     {seg1: later, "member/snap/0000000000000002-0000000000002712.snap": "x"},
		"first is damaged":    {seg0: "garbage", seg1: later},
		"with a database":     {seg0: good, "member/snap/db": database(t, "members")},
		"broken database":     {seg0: good, "member/snap/db": "garbage"},
		"a directory of .wal": {seg0 + "/": "", seg1: later},
	} {
		if d := read(t, tree(t, files), ""); d != want {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestReadWALDir(t *testing.T) {
	walDir := t.TempDir()
	data := tree(t, map[string]string{seg0: wal(1, 2, 0)})
	if d := read(t, data, walDir); d.State != joiner.DiskFresh {
		t.Errorf("empty WAL dir: %+v", d)
	}
	plant(t, walDir, map[string]string{filepath.Base(seg0): wal(3, 4, 0)})
	for _, data := range []string{data, filepath.Join(t.TempDir(), "none")} {
		if d := read(t, data, walDir); d.MemberID != 3 || d.ClusterID != 4 {
			t.Errorf("WAL dir of another: %+v", d)
		}
	}
}

func TestReadDamaged(t *testing.T) {
	good := wal(1, 2, 0)
	for name, c := range map[string]struct{ file, content, want string }{
		"empty WAL":        {seg0, "", "it ends before its metadata"},
		"zeros":            {seg0, strings.Repeat("\x00", 4096), "record of 0 bytes"},
		"text":             {seg0, strings.Repeat("text", 64), "where the metadata belongs"},
		"cut off":          {seg0, good[:20], "it ends before its metadata"},
		"flipped bit":      {seg0, flip(good, strings.LastIndex(strings.TrimRight(good, "\x00"), "\x02")), "checksum"},
		"endless record":   {seg0, "\xff\xff\xff\xff\xff\xff\xff\x7f", "record of 72057594037927935 bytes"},
		"wrong order":      {seg0, good[16:], "record of type 1 where type 4 belongs"},
		"no IDs":           {seg0, wal(0, 0, 0), "no member or cluster ID"},
		"a directory":      {seg0 + "/", "", "not a regular file"},
		"lost WAL":         {"member/snap/db", database(t, "members"), "is of a member that ran"},
		"lost, removed":    {"member/snap/db", database(t, "members_removed"), "is of a member that ran"},
		"lost all but WAL": {seg1, wal(1, 2, 0xdeadbeef), "the WAL begins with entry 10001"},
		"lost, of etcd 2":  {"member/snap/0000000000000002-0000000000002711.snap", "x", "is a snapshot of a member that ran"},
		"broken database":  {"member/snap/db", strings.Repeat("garbage!", 4096), "cannot be read"},
		"database cut off": {"member/snap/db", database(t, "members")[:8192], "cannot be read"},
		"database is none": {"member/snap/db/", "", "is not a regular file"},
	} {
		d := read(t, tree(t, map[string]string{c.file: c.content}), "")
		if d.State != joiner.DiskDamaged || !strings.Contains(d.Detail, c.want) || d.MemberID != 0 || d.ClusterID != 0 {
			t.Errorf("%s: %+v, want %s", name, d, c.want)
		}
	}
}

func flip(s string, at int) string { return s[:at] + string(s[at]^4) + s[at+1:] }

// TestReadNeverWaits has a pipe, which would wait for a writer, for every
// file that is read.
func TestReadNeverWaits(t *testing.T) {
	for name, state := range map[string]joiner.DiskState{
		seg0: joiner.DiskDamaged, "member/snap/db": joiner.DiskDamaged, recordFile: joiner.DiskFresh, markerFile: joiner.DiskFresh,
	} {
		data := recorded(t, map[string]string{"member/wal/": "", "member/snap/x": "", "member/snap/db": ""})
		path := filepath.Join(data, name)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		if d := read(t, data, ""); d.State != state || d.Record == nil || !d.Record.Spent {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestReadErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	plant(t, filepath.Dir(file), map[string]string{"file": ""})
	for name, c := range map[string]struct{ data, wal, want string }{
		"a file":               {file, "", "data dir: open " + file + ": not a directory"},
		"below a file":         {file + "/data", "", "not a directory"},
		"member is a file":     {tree(t, map[string]string{"member": ""}), "", "not a directory"},
		"the WAL dir a file":   {t.TempDir(), file, "wal dir: open " + file + ": not a directory"},
		"too long":             {"/" + strings.Repeat("x", 300), "", "file name too long"},
		"no path of this kind": {"a\x00b", "", "invalid argument"},
	} {
		if _, err := Read(c.data, c.wal); err == nil || !strings.HasSuffix(strings.ReplaceAll(err.Error(), "readdirent", "open"), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestReadDenied(t *testing.T) {
	for _, closed := range []string{".", "member", "member/wal", "member/snap", seg0, recordFile} {
		t.Run(closed, func(t *testing.T) {
			data, err := os.MkdirTemp("", "datadir") // t.TempDir is closed to others
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(data) })
			files := map[string]string{"member/snap/": "", recordFile: "{}"}
			if closed == seg0 {
				files[seg0] = wal(1, 2, 0)
			} else if closed != "member/snap" {
				files["member/wal/"] = ""
			}
			plant(t, data, files)
			open(t, data)
			if err := os.Chmod(filepath.Join(data, closed), 0); err != nil {
				t.Fatal(err)
			}
			unprivileged(t)
			if _, err := Read(data, ""); err == nil || !strings.Contains(err.Error(), "permission denied") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// open lets everybody read everything below dir.
func open(t *testing.T, dir string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		if err == nil {
			err = os.Chmod(path, 0o755)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadRunningBeforeTheWAL(t *testing.T) {
	data := tree(t, map[string]string{"member/snap/db": database(t)})
	db, err := bolt.Open(filepath.Join(data, "member/snap/db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := read(t, data, ""); !d.Running || d.State != joiner.DiskFresh {
		t.Errorf("got %+v", d)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if d := read(t, data, ""); d.Running {
		t.Errorf("after its end: %+v", d)
	}
}

// FuzzDecode feeds anything as a WAL.
func FuzzDecode(f *testing.F) {
	good := wal(1, 2, 0)
	for i := range good {
		f.Add([]byte(good[:i]))
		f.Add([]byte(flip(good, i)))
	}
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		member, cluster, err := decode(strings.NewReader(string(b)))
		if (err == nil) != (member != 0 && cluster != 0) {
			t.Errorf("%x %x %v", member, cluster, err)
		}
	})
}
