package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	urfave "github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/generator"
	"github.com/sttts/elastic-etcd/joiner"
)

// TestMain lets this program be an etcd, which is no script: one that has a
// file with its version beside it.
func TestMain(m *testing.M) {
	if version, err := os.ReadFile(os.Args[0] + ".version"); err == nil {
		fmt.Println("etcd Version: " + string(version))
		return
	}
	os.Exit(m.Run())
}

func programEtcd(t *testing.T, path, version string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".version", []byte(version), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The etcd of a unit is the one that it starts, whatever PATH has. A wrapper is
// not known, and a script not even run: it may start an etcd.
func TestUnitsEtcd(t *testing.T) {
	dir := t.TempDir()
	onPath, ofUnit, script, told := filepath.Join(dir, "etcd"), filepath.Join(dir, "of-unit"), filepath.Join(dir, "script"), filepath.Join(dir, "told")
	fakeEtcd(t, onPath, "3.4.34")
	programEtcd(t, ofUnit, "3.6.16")
	fakeEtcd(t, script, "3.6.16")
	inShell := filepath.Join(t.TempDir(), "etcd")
	programEtcd(t, inShell, "3.6.16")
	fakeEtcd(t, told, "3.7.3")
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	for _, c := range []struct {
		name  string
		flags string
		unit  []string
		minor int64
	}{
		{"the unit's", "", []string{ofUnit, "--name=a"}, 6},
		{"a script", "", []string{script}, 0},
		{"a shell that does more", "", []string{"/bin/sh", "-c", "true; " + onPath}, 0},
		{"a shell that starts an etcd", "", []string{"/bin/sh", "-c", "A=1 " + inShell}, 6},
		{"another program", "", []string{"/bin/true", onPath}, 0},
		{"one that is not there", "", []string{filepath.Join(dir, "gone")}, 0},
		{"a script, and the etcd is given", "-etcd-binary=" + told, []string{script}, 7},
		{"a script, and the version is given", "-etcd-version=3.5.35", []string{script}, 5},
		{"no unit is known", "", nil, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := appliedTo(t, c.flags, c.unit)
			wantVersion(t, &ownEtcd{localEtcd: s.etcd}, c.minor)
		})
	}
	if _, err := os.Stat(script + ".asked"); err == nil {
		t.Error("the script was run")
	}
}

// appliedTo are the settings of apply for a unit with that command.
func appliedTo(t *testing.T, flags string, command []string) (s settings) {
	t.Helper()
	a := &app{}
	unit := &target{name: "etcd.service", unit: generator.Unit{Name: "etcd.service", Loaded: true, Command: command}}
	apply := a.applyCommand()
	apply.Action = func(_ context.Context, c *urfave.Command) (err error) {
		s, err = a.applied(c, unit)
		return err
	}
	root := a.root()
	root.Commands = []*urfave.Command{apply}
	line := "elastic-etcd -name=a -endpoints=http://10.0.0.2:2379 -initial-advertise-peer-urls=http://10.0.0.1:2380 " + flags + " apply"
	if err := root.Run(t.Context(), strings.Fields(line)); err != nil {
		t.Fatal(err)
	}
	return s
}

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
	wantMissing(t, e, true) // until the package is there
	fakeEtcd(t, file, "3.7.3")
	wantVersion(t, e, 7)
	wantMissing(t, e, false)
}

func wantMissing(t *testing.T, e *ownEtcd, want bool) {
	t.Helper()
	now, _ := e.look(t.Context())
	if got := e.missing(now); got != want {
		t.Errorf("missing: %v", got)
	}
}

// One that comes to PATH while a host waits counts, too.
func TestOwnEtcdComesLate(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	e := &ownEtcd{}
	if v, err := e.look(t.Context()); v.Known() || err != nil {
		t.Errorf("without an etcd: %s, %v", v, err)
	}
	wantMissing(t, e, false) // it was never there
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
