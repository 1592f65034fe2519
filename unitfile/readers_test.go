package unitfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

// awkward are values that a careless renderer gets wrong.
var awkward = []string{
	"plain", "a b", " lead and trail ", "50%", "%h", "%%", "$HOME", "${HOME}", "$$", "$(id)", "`id`", `a"b`, `'`, `a'b"c`, `\`, `a\`, `\\`, `\n`, `\x41`, `a\b`,
	"#", "; id", "a=b", "~", "!!", "&& id", "| id", "> f", "ö", "日本", "\u00a0", "\u2028", "😀", "-x", "--", "{a,b}", "http://[::1]:2380", "a,b",
	"*", "?", "[a]", `\[`, `a\b=http://[::1]:2380`, "n1=http://[fd00::1]:2380,n2=http://[fd00::2]:2380",
}

// values are the awkward ones, and random ones made of their characters.
func values() []string {
	r := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune(strings.Join(awkward, ""))
	list := append([]string(nil), awkward...)
	for range 500 {
		v := make([]rune, 1+r.IntN(12))
		for i := range v {
			v[i] = alphabet[r.IntN(len(alphabet))]
		}
		list = append(list, string(v))
	}
	return list
}

func config(value string) joiner.EtcdConfig {
	return joiner.EtcdConfig{Name: "n", DataDir: value, InitialClusterState: joiner.StateExisting}
}

// shells are those that must be there, or the test says what it needs.
func shells(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, s := range []string{"sh", "bash", "dash"} {
		path, err := exec.LookPath(s)
		if err != nil {
			t.Logf("NOT TESTED with %s: it is not installed", s)
			continue
		}
		found = append(found, path)
	}
	if len(found) == 0 {
		t.Fatal("this test needs a POSIX shell")
	}
	return found
}

// script runs a script that prints, for each file, its values, NUL after each.
func script(t *testing.T, shell, text string, files []string) []string {
	t.Helper()
	cmd := exec.Command(shell, append([]string{"-c", text, shell}, files...)...)
	cmd.Dir = t.TempDir() // nothing there that a wildcard could match
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s", shell, err, stderr.String())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// rendered writes every value that the format carries to a file of its own.
func rendered(t *testing.T, f Format, o Options, keep func(string) bool) (files, kept []string) {
	t.Helper()
	dir := t.TempDir()
	for i, v := range values() {
		b, err := Render(f, config(v), o)
		if err != nil || !keep(v) {
			continue
		}
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		files, kept = append(files, path), append(kept, v)
	}
	if len(kept) < 100 {
		t.Fatalf("only %d values are tried", len(kept))
	}
	return files, kept
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values came back, want %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: got %q, want %q", what, got[i], want[i])
		}
	}
}

func anyValue(string) bool { return true }

func oneWord(v string) bool { return !strings.Contains(v, " ") }

func TestShellsReadEnv(t *testing.T) {
	files, want := rendered(t, Env, Options{}, anyValue)
	exported, _ := rendered(t, Env, Options{Export: true}, anyValue)
	bareFiles, bareWant := rendered(t, Env, Options{}, oneWord)
	for _, sh := range shells(t) {
		const quoted = `for f; do eval "$(cat "$f")"; printf '%s\0' "$ETCD_DATA_DIR"; done`
		compare(t, sh+`, eval "$(...)"`, script(t, sh, quoted, files), want)
		const unquoted = `for f; do eval $(cat "$f"); printf '%s\0' "$ETCD_DATA_DIR"; done`
		compare(t, sh+", eval $(...)", script(t, sh, unquoted, bareFiles), bareWant)
		const child = `for f; do (eval "$(cat "$f")"; exec printenv -0 ETCD_DATA_DIR); done`
		compare(t, sh+", --export", script(t, sh, child, exported), want)
	}
}

func TestShellsReadFlags(t *testing.T) {
	files, values := rendered(t, Flags, Options{}, anyValue)
	var want []string
	for _, v := range values {
		want = append(want, "-name=n", "-data-dir="+v, "-initial-cluster-state=existing")
	}
	const words = `for f; do printf '%s\0' $(cat "$f"); done`
	for _, sh := range shells(t) {
		compare(t, sh+", $(...)", script(t, sh, words, files), want)
	}
}

// TestKernelTakesTheLongest: maxVariable is the kernel's limit, not a guess.
func TestKernelTakesTheLongest(t *testing.T) {
	longest := "A=" + strings.Repeat("x", maxVariable-2)
	for _, c := range []struct {
		variable string
		want     error
	}{{longest, nil}, {longest + "x", syscall.E2BIG}} {
		cmd := exec.Command("sh", "-c", ":")
		cmd.Env = []string{c.variable}
		if err := cmd.Run(); !errors.Is(err, c.want) {
			t.Errorf("a variable of %d bytes: got %v, want %v", len(c.variable), err, c.want)
		}
	}
}
