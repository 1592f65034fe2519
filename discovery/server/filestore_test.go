package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/client/v2"

	"github.com/sttts/elastic-etcd/discovery/registry"
)

func TestARestartChangesNothing(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("3")
	s.put(token+"/f", "first=http://first:1")
	second := s.put(token+"/1", "second=http://second:1")
	before := s.do("GET", token, nil)

	s.stop()
	s.start(Options{})

	after := s.do("GET", token, nil)
	if after.body != before.body || after.header.Get("X-Etcd-Index") != before.header.Get("X-Etcd-Index") {
		t.Errorf("now %s, was %s", after.body, before.body)
	}
	if got := s.poll(fmt.Sprintf("%s?wait=true&recursive=true&waitIndex=%d", token, second)).value(); got != "second=http://second:1" {
		t.Errorf("history: %q", got)
	}
	if third := s.put(token+"/2", "third=http://third:1"); third != second+1 {
		t.Errorf("index %d after the restart, want %d", third, second+1)
	}
	if re := s.do("PUT", token+"/f?prevExist=false", url.Values{"value": {"first=http://first:1"}}); re.status != 412 {
		t.Errorf("place taken before the restart: %d %s", re.status, re.body)
	}
}

func TestTheIndexNeverGoesBack(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("1")
	s.put(token+"/1", "founder=http://founder:1")
	last := s.put(token+"/2", "late=http://late:1")
	s.do("DELETE", token+"/2", nil)
	s.stop()
	s.start(Options{})
	if next := s.put(token+"/2", "late=http://late:1"); next <= last+1 {
		t.Errorf("index %d after a removal behind %d and a restart", next, last)
	}
}

func TestOpenSaysWhoHoldsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	store, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path+": another process holds it") {
		t.Errorf("second open: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v %v", info.Mode(), err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if store, err = Open(path); err != nil {
		t.Fatalf("after close: %v", err)
	}
	store.Close()
}

func TestOpenRefusesWhatIsNotADiscoveryStore(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "etcd.db")
	db, err := bbolt.Open(foreign, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("members")); return err })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		foreign: `it holds bucket "members"`, garbage: "invalid database", dir: "is a directory",
		filepath.Join(dir, "missing", "d.db"): "no such file",
	} {
		before, _ := os.ReadFile(path)
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s was changed", path)
		}
	}
}

// A damaged file is told of, and not with a stack.
func TestOpenRefusesADamagedFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "whole")
	store, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if err := store.Create(t.Context(), fmt.Sprintf("%032x", i), 3); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for name, b := range map[string][]byte{
		"cut off":         whole[:3*page],
		"a page is short": whole[:len(whole)/2+100],
		"random pages":    slices.Concat(whole[:2*page], bytes.Repeat([]byte("random bytes"), (len(whole)-2*page)/12)),
		"one random page": slices.Concat(whole[:len(whole)/4/page*page], bytes.Repeat([]byte{0xa5}, page), whole[(len(whole)/4/page+1)*page:]),
		"zeros":           slices.Concat(whole[:2*page], make([]byte, len(whole)-2*page)),
		"zeros alone":     make([]byte, len(whole)),
		"zero metas":      slices.Concat(make([]byte, 2*page), whole[2*page:]),
		"other version":   slices.Concat(whole[:16+4], []byte{9}, whole[16+5:page+16+4], []byte{9}, whole[page+16+5:]),
		"one byte":        whole[:1],
		"half a page":     whole[:page/2],
		"a page":          whole[:page],
		"almost two":      whole[:2*page-1],
		"two pages":       whole[:2*page],
		"no database":     []byte(strings.Repeat("not a database\n", 1000)),
		"random metas":    slices.Concat(whole[:16+60], []byte("random"), whole[82:page+16+60], []byte("random"), whole[page+82:]),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		store, err := Open(path)
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "the file "+path+" is damaged: restore it from a copy") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			store.Close()
		}
	}
}

// A file without anything is one that was to be made when the power went.
func TestOpenTakesAnEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Create(t.Context(), "t", 1); err != nil {
		t.Error(err)
	}
}

// Every goroutine registers until it has a place. No place is given twice, none
// is left out, and all watchers see the same order.
func TestPlacesAreGivenOnce(t *testing.T) {
	const members = 40
	s := startService(t, Options{})
	token := s.newToken("3")
	watcher := s.keys().Watcher(token, &client.WatcherOptions{AfterIndex: 1, Recursive: true})
	indices := make([]uint64, members)
	var all sync.WaitGroup
	for i := range members {
		all.Go(func() {
			made, err := s.keys().Create(t.Context(), fmt.Sprintf("%s/%x", token, i+1), numbered(i))
			if err != nil {
				t.Errorf("member %d: %v", i, err)
				return
			}
			indices[i] = made.Node.CreatedIndex
		})
	}
	all.Wait()
	byIndex := map[uint64]string{}
	for i, index := range indices {
		if index < 2 || index > members+1 || byIndex[index] != "" {
			t.Errorf("member %d has index %d", i, index)
		}
		byIndex[index] = numbered(i)
	}
	for index := uint64(2); index < members+2; index++ {
		if e := nextEvent(t, watcher); e.Node.CreatedIndex != index || e.Node.Value != byIndex[index] {
			t.Fatalf("event %d: %+v", index, e.Node)
		}
	}
}

func numbered(i int) string { return fmt.Sprintf("m%d=http://m%d:1", i, i) }

// One place, many rivals with different values: one wins.
func TestOneMemberIsCreatedOnce(t *testing.T) {
	s := startService(t, Options{})
	token := strings.Trim(s.newToken("3"), "/")
	var all sync.WaitGroup
	won := make(chan string, 20)
	for i := range 20 {
		all.Go(func() {
			_, _, err := s.store.Register(context.Background(), token, "1", fmt.Sprint(i), 100)
			if err == nil {
				won <- fmt.Sprint(i)
			} else if !errors.Is(err, ErrExists) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(won)
	dir, err := s.store.Load(t.Context(), token)
	if err != nil || len(won) != 1 || len(dir.Entries) != 1 || dir.Entries[0].Value != <-won || dir.Index != 2 {
		t.Errorf("%d won; %+v %v", len(won), dir, err)
	}
}

// crashEnv makes the test binary a process that registers members until it is
// killed and prints each one after it was acknowledged.
const crashEnv = "DISCOVERY_SERVER_TEST_CRASH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		registerForever(path)
	}
	os.Exit(m.Run())
}

func registerForever(path string) {
	store, err := Open(path)
	if err != nil {
		panic(err)
	}
	token, ctx := strings.Repeat("c", registry.TokenLen), context.Background()
	if err := store.Create(ctx, token, 3); err != nil {
		panic(err)
	}
	for i := 1; ; i++ {
		e, _, err := store.Register(ctx, token, fmt.Sprintf("%x", i), fmt.Sprintf("m%d", i), 1<<20)
		if err != nil {
			panic(err)
		}
		fmt.Println(e.ID, e.Value, e.Index)
	}
}

func TestNothingAcknowledgedIsLostInACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.db")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		acknowledged = append(acknowledged, lines.Text())
		if len(acknowledged) == 50 {
			if err := cmd.Process.Kill(); err != nil { // in the middle of the next ones
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // always fails: killed
	if len(acknowledged) < 50 {
		t.Fatalf("the process ended after %d registrations", len(acknowledged))
	}
	store, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	dir, err := store.Load(t.Context(), strings.Repeat("c", registry.TokenLen))
	if err != nil || len(dir.Entries) < len(acknowledged) || dir.Index != uint64(len(dir.Entries)+1) {
		t.Fatalf("%d acknowledged; index %d, %d entries, %v", len(acknowledged), dir.Index, len(dir.Entries), err)
	}
	for i, want := range acknowledged {
		if e := dir.Entries[i]; fmt.Sprint(e.ID, " ", e.Value, " ", e.Index) != want {
			t.Errorf("entry %d: %+v, acknowledged %s", i, e, want)
		}
	}
}

func TestWaitReturnsAtOnceForThePast(t *testing.T) {
	s := startService(t, Options{})
	token := strings.Trim(s.newToken("3"), "/")
	if err := s.store.Wait(t.Context(), token, 0); err != nil {
		t.Errorf("past: %v", err)
	}
	if err := s.store.Wait(t.Context(), "none", 0); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("unknown: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.store.Wait(ctx, token, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if n := s.store.changes.Waiting(); n != 0 {
		t.Errorf("%d left behind", n)
	}
}
