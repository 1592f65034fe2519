package unitfile

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSystemdAcceptsTheDropIn: systemd itself parses the drop-in and has
// nothing to say about it. It exits 0 even for lines that it ignores, so any
// word on standard error counts.
func TestSystemdAcceptsTheDropIn(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("NOT TESTED: this test needs systemd-analyze (package systemd)")
	}
	files, _ := rendered(t, DropIn, Options{}, anyValue)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "etcd.service"), "[Service]\nExecStart=/bin/true\n")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "etcd.service.d", filepath.Base(file)+".conf"), string(b))
	}
	if said := verify(t, analyze, dir); said != "" {
		t.Errorf("systemd-analyze verify says: %s", said)
	}
	write(t, filepath.Join(dir, "etcd.service.d", "z.conf"), "[Service]\nEnvironment=\"A=50%z\"\n")
	if said := verify(t, analyze, dir); !strings.Contains(said, "specifiers") {
		t.Errorf("systemd-analyze verify does not see a bare percent sign: %q", said)
	}
}

func verify(t *testing.T, analyze, dir string) string {
	t.Helper()
	cmd := exec.Command(analyze, "verify", "--man=no", filepath.Join(dir, "etcd.service"))
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	out, _ := cmd.CombinedOutput() // its exit code says less than its words
	return string(out)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
