package check

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// release makes a release of the repository at a directory into another one.
func release(t *testing.T, repo, out string, env ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(repo, "packaging/release.sh"), out)
	cmd.Env = append(os.Environ(), append(env, "VERSION="+version, "SOURCE_DATE_EPOCH=1700000000")...)
	if stdout, stderr, code := run(t, cmd); code != 0 {
		t.Fatalf("release.sh: %d\n%s%s", code, stdout, stderr)
	}
}

var (
	releaseOnce sync.Once
	releaseDir  string
)

// released gives a directory with a release, the same one to every test.
func released(t *testing.T) string {
	t.Helper()
	releaseOnce.Do(func() {
		dir, err := os.MkdirTemp("", "elastic-etcd-release")
		if err != nil {
			t.Fatal(err)
		}
		release(t, "../..", dir)
		releaseDir = dir
	})
	if releaseDir == "" {
		t.Fatal("there is no release")
	}
	return releaseDir
}

func TestMain(m *testing.M) {
	code := m.Run()
	if releaseDir != "" {
		os.RemoveAll(releaseDir)
	}
	os.Exit(code)
}

func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name()] = fmt.Sprintf("%x", sha256.Sum256(b))
	}
	return all
}

// TestReproducible makes a release from a copy of the sources, in another
// directory, time zone, umask and locale: all files have the same bytes.
func TestReproducible(t *testing.T) {
	first := sums(t, released(t))
	repo := filepath.Join(t.TempDir(), "a copy")
	for _, args := range [][]string{
		{"mkdir", repo},
		{"sh", "-c", `cd ../.. && find . -mindepth 1 -maxdepth 1 ! -name .git ! -name .cache ! -name bin ! -name dist ! -name e2e -exec cp -r {} "$0" \;`, repo},
	} {
		if _, stderr, code := run(t, exec.Command(args[0], args[1:]...)); code != 0 {
			t.Fatal(stderr)
		}
	}
	out := t.TempDir()
	cmd := exec.Command("sh", "-c", `umask 077; exec "$0" "$1"`, filepath.Join(repo, "packaging/release.sh"), out)
	cmd.Env = append(os.Environ(), "VERSION="+version, "SOURCE_DATE_EPOCH=1700000000", "TZ=Asia/Tokyo", "LC_ALL=C.UTF-8")
	if stdout, stderr, code := run(t, cmd); code != 0 {
		t.Fatalf("release.sh: %d\n%s%s", code, stdout, stderr)
	}
	second := sums(t, out)
	if len(first) != 9 || len(second) != len(first) {
		t.Errorf("a release has %d and %d files: %v", len(first), len(second), first)
	}
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("%s differs between two builds", name)
		}
	}
}

func TestSums(t *testing.T) {
	dir := released(t)
	cmd := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	cmd.Dir = dir
	stdout, stderr, code := run(t, cmd)
	if n := strings.Count(stdout, ": OK\n"); code != 0 || n != 8 {
		t.Errorf("%d of 8: %s%s", n, stdout, stderr)
	}
}

func TestStatic(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		f, err := elf.Open(filepath.Join(released(t), "elastic-etcd-"+version+"-linux-"+arch))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Machine != machine {
			t.Errorf("%s: %v", arch, f.Machine)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s is not static", arch)
			}
		}
	}
}

// TestArchive: the examples in it verify the binary beside them.
func TestArchive(t *testing.T) {
	dir := released(t)
	all := sums(t, dir)
	name := "elastic-etcd-" + version + "-linux-arm64"
	tar := func(file string) string {
		stdout, stderr, code := run(t, exec.Command("tar", "-xzOf", filepath.Join(dir, name+".tar.gz"), name+"/"+file))
		if code != 0 {
			t.Fatal(stderr)
		}
		return stdout
	}
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(tar("elastic-etcd")))); got != all[name] {
		t.Errorf("the binary in the archive has checksum %s, not %s", got, all[name])
	}
	for _, file := range []string{coreosFile, cloudInitFile, flatcarFile, fcosFile} {
		text := tar("contrib/" + file)
		if !strings.Contains(text, all["elastic-etcd-"+version+"-linux-amd64"]) || !strings.Contains(text, "/"+version+"/") || !strings.Contains(text, "@DISCOVERY_URL@") || strings.Contains(text, "@VERSION@") {
			t.Errorf("%s is not filled in:\n%s", file, text)
		}
	}
	if text := tar("contrib/" + cloudInitFile); !strings.Contains(text, all["elastic-etcd-"+version+"-linux-arm64"]) {
		t.Error("no checksum for arm64")
	}
}

// newRoot makes a root directory with nothing but a shell in it, for the
// scripts of a package.
func newRoot(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: packages are installed with chroot, which takes root")
	}
	root := t.TempDir()
	ldd, stderr, code := run(t, exec.Command("ldd", "/bin/sh"))
	if code != 0 {
		t.Fatal(stderr)
	}
	files := []string{"/bin/sh"}
	for _, word := range strings.Fields(ldd) {
		if strings.HasPrefix(word, "/") {
			files = append(files, word)
		}
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, root+file, 0o755, string(b))
	}
	// What other packages have made: an rpm takes away only what it owns.
	for _, dir := range []string{"/proc", "/tmp", "/etc", "/usr/bin", "/usr/lib/systemd/system", "/usr/lib/systemd/system-generators",
		"/usr/share/bash-completion/completions", "/usr/share/doc", "/usr/share/fish/vendor_completions.d", "/usr/share/zsh/site-functions"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// tree lists what is in a root, but for the package manager's own database.
func tree(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, root)
		if name == "/var" {
			return fs.SkipDir
		}
		all = append(all, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// chroot runs a command in a root, with /proc, which generators have.
func chroot(t *testing.T, root string, args ...string) (string, string, int) {
	t.Helper()
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-c", `mount --bind /proc "$0/proc" && exec chroot "$0" "$@"`, root}, args...)...)
	return run(t, cmd)
}

// installed checks a root with the package in it.
func installed(t *testing.T, root string, before []string) {
	t.Helper()
	for _, file := range []string{
		"/etc/elastic-etcd", "/usr/bin/elastic-etcd", "/usr/lib/systemd/system-generators/elastic-etcd-generator",
		"/usr/lib/systemd/system/elastic-etcd.service", "/usr/lib/systemd/system/elastic-etcd-discovery.service",
		"/usr/lib/systemd/system/elastic-etcd-discovery.socket",
		"/usr/share/elastic-etcd/elastic-etcd.conf.example", "/usr/share/elastic-etcd/contrib/" + fcosFile,
		"/usr/share/elastic-etcd/contrib/" + dropInFile, "/usr/share/doc/elastic-etcd/LICENSE",
		"/usr/share/bash-completion/completions/elastic-etcd",
	} {
		if _, err := os.Stat(root + file); err != nil {
			t.Error(err)
		}
	}
	var odd []string
	for _, file := range tree(t, root) {
		if info, err := os.Lstat(root + file); err != nil {
			t.Error(err)
		} else if info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSymlink == 0 && !slices.Contains(before, file) {
			odd = append(odd, file)
		}
	}
	if odd != nil {
		t.Errorf("others may write %q", odd)
	}
	if stdout, stderr, code := chroot(t, root, "/usr/bin/elastic-etcd", "version"); code != 0 || !strings.Contains(stdout, version) {
		t.Errorf("elastic-etcd version: %d %s%s", code, stdout, stderr)
	}

	// As systemd runs it: nothing without a configuration, the wiring with one.
	generate := []string{"/usr/lib/systemd/system-generators/elastic-etcd-generator", "/tmp", "/tmp", "/tmp"}
	wiring := root + "/tmp/etcd.service.d/10-elastic-etcd.conf"
	if stdout, stderr, code := chroot(t, root, generate...); code != 0 || stdout+stderr != "" {
		t.Errorf("the generator, unconfigured: %d %s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(wiring); err == nil {
		t.Error("wired without a configuration")
	}
	example, err := os.ReadFile(root + "/usr/share/elastic-etcd/elastic-etcd.conf.example")
	if err != nil {
		t.Fatal(err)
	}
	conf := write(t, root+"/etc/elastic-etcd/elastic-etcd.conf", 0o644, string(example))
	if stdout, stderr, code := chroot(t, root, generate...); code != 0 || stdout+stderr != "" {
		t.Errorf("the generator, with the example: %d %s%s", code, stdout, stderr)
	}
	if b, err := os.ReadFile(wiring); err != nil || !bytes.Contains(b, []byte("\nExecCondition=+/usr/bin/elastic-etcd ")) {
		t.Errorf("no wiring to /usr/bin/elastic-etcd: %s (%v)", b, err)
	} else {
		verify(t, map[string]string{"etcd.service": debianEtcd, "etcd.service.d/10-elastic-etcd.conf": string(b)}, "/usr/bin/etcd", "/usr/bin/elastic-etcd")
	}
	for _, left := range []string{conf, root + "/tmp/etcd.service.d"} {
		if err := os.RemoveAll(left); err != nil {
			t.Fatal(err)
		}
	}
}

// gone checks that a removal left nothing.
func gone(t *testing.T, root string, before []string) {
	t.Helper()
	after := slices.DeleteFunc(tree(t, root), func(file string) bool { return slices.Contains(before, file) })
	if len(after) != 0 {
		t.Errorf("left behind: %q", after)
	}
}

func TestDeb(t *testing.T) {
	need(t, "dpkg", "dpkg")
	root := newRoot(t)
	write(t, root+"/var/lib/dpkg/status", 0o644, "")
	write(t, root+"/var/lib/dpkg/info/format", 0o644, "1\n")
	for _, dir := range []string{"/var/lib/dpkg/updates", "/var/log"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := tree(t, root)
	dpkg := func(args ...string) {
		t.Helper()
		if stdout, stderr, code := run(t, exec.Command("dpkg", append([]string{"--root=" + root}, args...)...)); code != 0 {
			t.Fatalf("dpkg %q: %d\n%s%s", args, code, stdout, stderr)
		}
	}
	file := filepath.Join(released(t), fmt.Sprintf("elastic-etcd_%s_%s.deb", strings.TrimPrefix(version, "v"), runtime.GOARCH))
	dpkg("--install", file)
	installed(t, root, before)
	dpkg("--install", file) // as an upgrade
	installed(t, root, before)
	dpkg("--purge", "elastic-etcd")
	gone(t, root, before)
}

func TestRPM(t *testing.T) {
	need(t, "rpm", "rpm")
	root := newRoot(t)
	before := tree(t, root)
	rpm := func(args ...string) {
		t.Helper()
		// --nodeps: the root has a shell, but no package that owns it. A script
		// that fails is a warning only.
		if stdout, stderr, code := run(t, exec.Command("rpm", append([]string{"--root=" + root, "--dbpath=/var/lib/rpm", "--nodeps"}, args...)...)); code != 0 || strings.Contains(stderr, "error:") || strings.Contains(stderr, "warning:") {
			t.Fatalf("rpm %q: %d\n%s%s", args, code, stdout, stderr)
		}
	}
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	file := filepath.Join(released(t), fmt.Sprintf("elastic-etcd-%s-1.%s.rpm", strings.TrimPrefix(version, "v"), arch))
	rpm("--install", file)
	installed(t, root, before)
	rpm("--upgrade", "--force", file)
	installed(t, root, before)
	rpm("--erase", "elastic-etcd")
	gone(t, root, before)
}

// TestPackageVersion: packages sort as versions do, and a build of no tag
// sorts before all of them.
func TestPackageVersion(t *testing.T) {
	need(t, "dpkg", "dpkg")
	text, err := os.ReadFile("../../packaging/release.sh")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\nplain=")
	lines, _, ok2 := strings.Cut(rest, "esac\n")
	if !ok || !ok2 {
		t.Fatal("release.sh does not say what packages call a version")
	}
	last := ""
	for _, v := range []struct{ git, want string }{
		{"c8adf67-dirty", "0~c8adf67+dirty"},
		{"v1.2.0-beta.1", "1.2.0~beta.1"},
		{"v1.2.0-rc.1", "1.2.0~rc.1"},
		{"v1.2.0", "1.2.0"},
		{"v1.2.0-5-gc8adf67", "1.2.0+5.gc8adf67"},
		{"v1.2.1", "1.2.1"},
	} {
		cmd := exec.Command("sh", "-euc", "plain="+lines+"esac\necho $plain")
		cmd.Env = append(os.Environ(), "version="+v.git)
		stdout, stderr, code := run(t, cmd)
		got := strings.TrimSpace(stdout)
		if code != 0 || got != v.want {
			t.Errorf("%s: %q, not %q: %s", v.git, got, v.want, stderr)
		}
		if _, _, code := run(t, exec.Command("dpkg", "--compare-versions", got, "gt", last)); last != "" && code != 0 {
			t.Errorf("%s is not after %s", got, last)
		}
		last = got
	}
}
