// Package check has every file of contrib/ read by the program that hosts read
// it with, and the packages installed and removed. It is a module of its own
// because of what it needs for that.
package check

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	version  = "v1.2.3"
	sumAMD64 = "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447"
	sumARM64 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
	token    = "http://10.0.0.100:8087/94335f89031375125337a4cfa662e4e5"
)

const (
	coreosFile    = "cloud-config/coreos-etcd2.yaml"
	cloudInitFile = "cloud-config/cloud-init.yaml"
	flatcarFile   = "ignition/flatcar.bu"
	fcosFile      = "ignition/fcos.bu"
	oneshotFile   = "systemd/usr/lib/systemd/system/elastic-etcd.service"
	discoveryFile = "systemd/usr/lib/systemd/system/elastic-etcd-discovery.service"
	socketFile    = "systemd/usr/lib/systemd/system/elastic-etcd-discovery.socket"
	dropInFile    = "systemd/etc/systemd/system/etcd.service.d/10-elastic-etcd.conf"
	exampleFile   = "systemd/usr/share/elastic-etcd/elastic-etcd.conf.example"
)

// TestNoFileUnchecked fails for a file that is in none of the lists here.
func TestNoFileUnchecked(t *testing.T) {
	checked := []string{"README.md", coreosFile, cloudInitFile, flatcarFile, fcosFile, oneshotFile, discoveryFile, socketFile, dropInFile, exampleFile}
	var found []string
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, "../")
		if name == "check" {
			return fs.SkipDir
		}
		if !d.IsDir() {
			found = append(found, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(checked)
	slices.Sort(found)
	if !slices.Equal(found, checked) {
		t.Errorf("contrib/ has %q, the tests know %q", found, checked)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// filled gives an example as packaging/fill.sh fills it in.
func filled(t *testing.T, file string) string {
	t.Helper()
	sums := write(t, filepath.Join(t.TempDir(), "SHA256SUMS"), 0o644,
		sumAMD64+"  elastic-etcd-"+version+"-linux-amd64\n"+sumARM64+"  elastic-etcd-"+version+"-linux-arm64\n")
	cmd := exec.Command("../../packaging/fill.sh", version, sums, token)
	cmd.Stdin = strings.NewReader(read(t, file))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("fill.sh: %v: %s", err, &stderr)
	}
	if bytes.Contains(out, []byte("@VERSION@")) || bytes.Contains(out, []byte("@SHA256")) || bytes.Contains(out, []byte("@DISCOVERY")) {
		t.Errorf("%s has a placeholder left:\n%s", file, out)
	}
	return string(out)
}

func write(t *testing.T, path string, mode os.FileMode, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// need skips a test on a machine without a program; CI has to have all.
func need(t *testing.T, program, debian string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing: apt-get install %s", program, debian)
	}
	t.Skipf("SKIPPED: %s is missing (Debian: apt-get install %s)", program, debian)
}

// run gives what a program writes and its exit code.
func run(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}
