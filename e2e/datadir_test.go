package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/datadir"
	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
	"github.com/sttts/elastic-etcd/joiner"
)

// TestDataDir has real etcds live in a data dir that has a founder record,
// and reads what they leave behind.
func TestDataDir(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dataDirLife(t, cluster.New(t), version, "")
		})
		t.Run(version+" with a WAL dir", func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			dataDirLife(t, lab, version, filepath.Join(lab.Dir(), "wal"))
		})
	}
}

func dataDirLife(t *testing.T, lab *cluster.Lab, version, walDir string) {
	t.Helper()
	h := lab.Host(version)
	d := disk{t, h, walDir}
	d.want("nothing", joiner.DiskFresh, false)
	if err := datadir.WriteRecord(h.DataDir, "", joiner.Record{Token: "static", MemberID: 1}); err != nil {
		t.Fatal(err)
	}
	d.wantSpent("a record", false)
	d.failToStart()
	d.want("after a failed first start", joiner.DiskFresh, false)
	d.wantSpent("after a failed first start", false)

	d.start("--initial-cluster="+cluster.InitialCluster(h), "--initial-cluster-token=static")
	lab.WaitHealthy(1, h)
	h.Put("key", "value")
	d.want("while etcd runs", joiner.DiskData, true)
	d.wantSpent("while etcd runs", true)
	id, founder := h.ClusterID(), h.Members()[0].ID
	if got := d.read(); uint64(got.ClusterID) != id || uint64(got.MemberID) != uint64(founder) {
		t.Errorf("read member %s of cluster %s, etcd says %x of %x", got.MemberID, got.ClusterID, founder, id)
	}
	h.Stop()
	d.want("after etcd stopped", joiner.DiskData, false)
	if err := datadir.MarkSpent(h.DataDir); err != nil {
		t.Fatal(err)
	}
	d.start()
	lab.WaitHealthy(1, h)
	if got := h.Get("key"); got != "value" || h.ClusterID() != id {
		t.Errorf("after a restart: key %q, cluster %x, was %x", got, h.ClusterID(), id)
	}
	h.Kill()
	d.want("after etcd was killed", joiner.DiskData, false)
	d.archiveAndFoundAnew(lab)
	d.loseWAL()
}

// disk is the disk of one host.
type disk struct {
	t      *testing.T
	h      *cluster.Host
	walDir string
}

func (d disk) start(args ...string) {
	args = append(d.h.IdentityFlags(), args...)
	if d.walDir != "" {
		args = append(args, "--wal-dir="+d.walDir)
	}
	d.h.Start(args...)
}

// failToStart has etcd look for a cluster that is not there.
func (d disk) failToStart() {
	d.t.Helper()
	d.start("--initial-cluster="+cluster.InitialCluster(d.h)+",other=http://127.0.0.1:1", "--initial-cluster-state=existing")
	if code := d.h.WaitExit(); code != 1 {
		d.t.Fatalf("etcd exited %d", code)
	}
}

func (d disk) read() joiner.Disk {
	d.t.Helper()
	got, err := datadir.Read(d.h.DataDir, d.walDir)
	if err != nil {
		d.t.Fatal(err)
	}
	return got
}

func (d disk) want(when string, state joiner.DiskState, running bool) {
	d.t.Helper()
	if got := d.read(); got.State != state || got.Running != running {
		d.t.Errorf("%s: %+v, want %s, running %v", when, got, state, running)
	}
}

func (d disk) wantSpent(when string, spent bool) {
	d.t.Helper()
	if r := d.read().Record; r == nil || r.Spent != spent || r.Token != "static" {
		d.t.Errorf("%s: record %+v, want spent %v", when, r, spent)
	}
}

// archiveAndFoundAnew puts the data aside; etcd then starts as if there never
// had been any, and leaves the archive alone.
func (d disk) archiveAndFoundAnew(lab *cluster.Lab) {
	d.t.Helper()
	made, err := datadir.Archive(d.h.DataDir, d.walDir, time.Unix(1e9, 0))
	if err != nil {
		d.t.Fatal(err)
	}
	d.want("after the archive", joiner.DiskFresh, false)
	d.wantSpent("after the archive", true)
	d.start("--initial-cluster="+cluster.InitialCluster(d.h), "--initial-cluster-token=another")
	lab.WaitHealthy(1, d.h)
	for _, path := range made {
		if files, err := os.ReadDir(path); err != nil || len(files) == 0 {
			d.t.Errorf("archive %s has %d files, %v", path, len(files), err)
		}
	}
	waitForMembers(lab, d.h)
	d.h.Kill()
}

// loseWAL is a WAL on a disk of its own that failed: etcd 3 is remembered by
// its database, etcd 2.3 only by the record.
func (d disk) loseWAL() {
	d.t.Helper()
	if err := datadir.WriteRecord(d.h.DataDir, "", joiner.Record{Token: "static", MemberID: 1}); err != nil {
		d.t.Fatal(err)
	}
	wal := d.walDir
	if wal == "" {
		wal = filepath.Join(d.h.DataDir, "member", "wal")
	}
	if err := os.Rename(wal, filepath.Join(d.h.DataDir, "lost")); err != nil {
		d.t.Fatal(err)
	}
	d.wantSpent("after the WAL is lost", true)
	if !strings.HasPrefix(d.h.Version, "2.") {
		d.want("after the WAL is lost", joiner.DiskDamaged, false)
	}
}

// waitForMembers waits until etcd 3 has its members in its database: it
// commits there some time after the WAL.
func waitForMembers(lab *cluster.Lab, h *cluster.Host) {
	if strings.HasPrefix(h.Version, "2.") {
		return
	}
	lab.WaitFor("database of "+h.Name, func(context.Context) error {
		db, err := os.ReadFile(filepath.Join(h.DataDir, "member", "snap", "db"))
		if err == nil && !strings.Contains(string(db), h.PeerURL()) {
			err = errors.New("no members in it")
		}
		return err
	})
}
