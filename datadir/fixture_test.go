package datadir

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sttts/elastic-etcd/joiner"
)

// tree makes a data dir of files; a name that ends in / is a directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	plant(t, dir, files)
	return dir
}

func plant(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			mkdir(t, path)
			continue
		}
		mkdir(t, filepath.Dir(path))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// database is an etcd 3 database with one key in each of these buckets.
func database(t *testing.T, buckets ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range []string{"members", "cluster", "meta"} { // etcd makes them before it knows anything
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		for _, name := range buckets {
			b, err := tx.CreateBucketIfNotExists([]byte(name))
			if err != nil {
				return err
			}
			if err := b.Put([]byte("8e9e05c52164694d"), []byte("{}")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wal writes a segment as etcd does: sum is the checksum of all before it.
func wal(member, cluster uint64, sum uint32) string {
	meta := number(number(nil, 1, member), 2, cluster)
	first := number(number(nil, 1, typeCRC), 2, uint64(sum))
	second := number(number(nil, 1, typeMetadata), 2, uint64(crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), meta)))
	second = append(binary.AppendUvarint(append(second, 3<<3|2), uint64(len(meta))), meta...)
	return frame(first) + frame(second) + strings.Repeat("\x00", 64)
}

func number(b []byte, field, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, field<<3), value)
}

// frame pads to eight bytes, as etcd 3 does.
func frame(b []byte) string {
	word := uint64(len(b))
	if pad := (8 - len(b)%8) % 8; pad != 0 {
		word |= uint64(0x80|pad) << 56
		b = append(b, make([]byte, pad)...)
	}
	return string(binary.LittleEndian.AppendUint64(nil, word)) + string(b)
}

func read(t *testing.T, dataDir, walDir string) joiner.Disk {
	t.Helper()
	d, err := Read(dataDir, walDir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// list shows every path below dir with its mode.
func list(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, info.Mode().String()+" "+rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

// unprivileged runs the rest of a test as nobody, where root may do all.
func unprivileged(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	if err := syscall.Seteuid(65534); err != nil {
		t.Skipf("NOT TESTED: as root nothing is forbidden, and to become nobody fails: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			panic(err)
		}
	})
}
