package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

// fakeEtcd puts a program in the place of what is there, as a package does. It
// counts how often it was asked.
func fakeEtcd(t *testing.T, path, version string) {
	t.Helper()
	script := "#!/bin/sh\necho >>" + path + ".asked\necho etcd Version: " + version + "\n"
	if err := os.WriteFile(path+".new", []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func timesAsked(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path + ".asked")
	if err != nil {
		t.Fatal(err)
	}
	return len(b)
}

func wantVersion(t *testing.T, e *ownEtcd, minor int64) {
	t.Helper()
	want := joiner.Version{}
	if minor > 0 {
		want = joiner.Version{Major: 3, Minor: minor}
	}
	if got, err := e.look(t.Context()); got != want || (err != nil) != (minor == 0) {
		t.Errorf("etcd is %s (%v), want %s", got, err, want)
	}
}

// A file that is another one by now is asked again, and no other.
func TestOwnEtcdChanges(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "etcd"), filepath.Join(dir, "link")
	fakeEtcd(t, file, "3.5.35")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	e := &ownEtcd{localEtcd: localEtcd{binary: link}}
	for range 3 {
		wantVersion(t, e, 5)
	}
	if n := timesAsked(t, file); n != 1 {
		t.Errorf("asked %d times", n)
	}
	fakeEtcd(t, file, "3.6.16")
	wantVersion(t, e, 6)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	wantVersion(t, e, 0)
	fakeEtcd(t, file, "3.7.3")
	wantVersion(t, e, 7)
}

// One that comes to PATH while a host waits counts, too.
func TestOwnEtcdComesLate(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	e := &ownEtcd{}
	if v, err := e.look(t.Context()); v.Known() || err != nil {
		t.Errorf("without an etcd: %s, %v", v, err)
	}
	fakeEtcd(t, filepath.Join(dir, "etcd"), "3.6.16")
	t.Setenv("PATH", dir+":/bin")
	wantVersion(t, e, 6)
}

// What was told is not asked.
func TestOwnEtcdIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "etcd")
	fakeEtcd(t, file, "3.5.35")
	e := &ownEtcd{localEtcd: localEtcd{told: true, version: joiner.Version{Major: 3, Minor: 6}, binary: file}}
	wantVersion(t, e, 6)
}

// Before a change even a file that is the same is asked, which may be a script.
func TestChangesAskOnceMore(t *testing.T) {
	dir := t.TempDir()
	file, version := filepath.Join(dir, "etcd"), filepath.Join(dir, "version")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "#!/bin/sh\ncat "+version)
	for _, step := range []joiner.Step{joiner.StepAdd, joiner.StepRemove} {
		w := &world{etcd: ownEtcd{localEtcd: localEtcd{binary: file}}}
		write(version, "etcd Version: 3.5.35\n")
		w.last.EtcdVersion = w.etcdVersion(t.Context())
		write(version, "etcd Version: 3.6.16\n")
		err := w.Do(t.Context(), joiner.Plan{Step: step})
		if err == nil || !strings.Contains(err.Error(), "is 3.6, and was 3.5") {
			t.Errorf("%s: %v", step, err)
		}
		wantVersion(t, &w.etcd, 6)
	}
}
