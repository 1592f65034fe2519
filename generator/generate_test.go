package generator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes a root directory of these files; a value "-> x" is a link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if _, given := files["proc/cmdline"]; !given {
		put(t, root, "proc/cmdline", "BOOT_IMAGE=/vmlinuz ro quiet\n")
	}
	for path, content := range files {
		put(t, root, path, content)
	}
	return root
}

func put(t *testing.T, root, path, content string) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if target, link := strings.CutPrefix(content, "-> "); link {
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

const (
	etc   = "etc/elastic-etcd/elastic-etcd.conf"
	run   = "run/elastic-etcd/elastic-etcd.conf"
	usr   = "usr/lib/elastic-etcd/elastic-etcd.conf"
	disco = "ELASTIC_ETCD_DISCOVERY=http://disco/1\n"
)

// head is what every wiring starts with.
const head = `[Unit]
Wants=network-online.target
After=network-online.target

[Service]
NotifyAccess=all
Restart=on-failure
RestartSec=5s
`

func TestGenerate(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		env   []string
		path  string // of the only output; "" = none
		want  string // what follows the comment; a prefix for refusals
		err   string
	}{
		{name: "not configured", files: map[string]string{}},
		{name: "switched off", files: map[string]string{etc: disco, "proc/cmdline": "elastic_etcd=no"}},
		{name: "in the initrd", files: map[string]string{etc: disco, "etc/initrd-release": ""}},
		{name: "in an initrd that only systemd knows of", files: map[string]string{etc: disco}, env: []string{"SYSTEMD_IN_INITRD=1"}},
		{name: "one file", files: map[string]string{etc: "# who\n\n; what\n" + disco}, path: "etcd.service.d/10-elastic-etcd.conf",
			want: head + "EnvironmentFile=-/etc/elastic-etcd/elastic-etcd.conf\n" + `ExecCondition=+/usr/bin/elastic-etcd "apply" "--gate" "--promotes" "--unit=etcd.service"` + "\n" + `ExecStartPost=-+/usr/bin/elastic-etcd "promote" "--no-block" "--unit=etcd.service"` + "\n"},
		{name: "the most important main file, all pieces by name, one masked",
			files: map[string]string{usr: disco, run: disco + "ELASTIC_ETCD_UNIT=x.service\n", etc: "ELASTIC_ETCD_UNIT=etcd2.service\n",
				usr + ".d/50-b.conf": disco, run + ".d/50-b.conf": disco, etc + ".d/20-a.conf": disco,
				usr + ".d/60-c.conf": disco, etc + ".d/60-c.conf": "-> /dev/null", etc + ".d/README": "not read"},
			path: "etcd2.service.d/10-elastic-etcd.conf",
			want: head + "EnvironmentFile=-/etc/elastic-etcd/elastic-etcd.conf\nEnvironmentFile=-/etc/elastic-etcd/elastic-etcd.conf.d/20-a.conf\nEnvironmentFile=-/run/elastic-etcd/elastic-etcd.conf.d/50-b.conf\n" +
				`ExecCondition=+/usr/bin/elastic-etcd "apply" "--gate" "--promotes" "--unit=etcd2.service"` + "\n" + `ExecStartPost=-+/usr/bin/elastic-etcd "promote" "--no-block" "--unit=etcd2.service"` + "\n"},
		{name: "kernel command line alone", files: map[string]string{"proc/cmdline": "ro elastic_etcd.discovery=http://d/%h$x elastic-etcd.cluster_size=5"}, path: "etcd.service.d/10-elastic-etcd.conf",
			want: head + `ExecCondition=+/usr/bin/elastic-etcd "apply" "--gate" "--promotes" "--unit=etcd.service" "--discovery=http://d/%%h$$x" "--cluster-size=5"` + "\n" + `ExecStartPost=-+/usr/bin/elastic-etcd "promote" "--no-block" "--unit=etcd.service" "--discovery=http://d/%%h$$x" "--cluster-size=5"` + "\n"},
		{name: "a bad line", files: map[string]string{etc: disco + "ELASTIC_ETCD_NAME: n1\n"}, path: "etcd.service.d/10-elastic-etcd.conf",
			want: "[Service]\nNotifyAccess=all\nExecCondition=+/usr/bin/elastic-etcd \"refuse\" ", err: "elastic-etcd.conf:2"},
		{name: "a name that is neither ours nor etcd's", files: map[string]string{etc: "DISCOVERY=x\n"}, path: "etcd.service.d/10-elastic-etcd.conf", want: "[Service]\nNotifyAccess=all\n", err: "elastic-etcd.conf:1"},
		{name: "an open quote", files: map[string]string{etc: disco + `ETCD_NAME="a` + "\n"}, path: "etcd.service.d/10-elastic-etcd.conf", want: "[Service]\nNotifyAccess=all\n", err: "elastic-etcd.conf:2"},
		{name: "a bad unit", files: map[string]string{etc: disco + "ELASTIC_ETCD_UNIT=../../x\n"}, path: "etcd.service.d/10-elastic-etcd.conf", want: "[Service]\nNotifyAccess=all\n", err: "not the name of a service"},
		{name: "a bad kernel option", files: map[string]string{"proc/cmdline": "elastic_etcd.$(id)=x"}, path: "etcd.service.d/10-elastic-etcd.conf", want: "[Service]\nNotifyAccess=all\n", err: "elastic_etcd.FLAG=VALUE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := t.TempDir()
			err := Generate(Host{Root: tree(t, c.files), Binary: "/usr/bin/elastic-etcd", Environ: c.env}, out)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			checkOutput(t, out, c.path, c.want, c.err != "")
		})
	}
}

// checkOutput compares all files below a directory with the one that is
// wanted.
func checkOutput(t *testing.T, dir, path, want string, prefix bool) {
	t.Helper()
	found := ""
	err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found, err = filepath.Rel(dir, file)
		if err != nil || found != path {
			t.Errorf("there is a file %s, %v", found, err)
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		comment, rest, _ := strings.Cut(string(b), "\n")
		if !strings.HasPrefix(comment, "# Generated by elastic-etcd-generator from ") || rest != want && !(prefix && strings.HasPrefix(rest, want)) {
			t.Errorf("%s is\n%s\nwant\n%s", path, b, want)
		}
		return nil
	})
	if err != nil || found != path {
		t.Errorf("found %q, %v; want %q", found, err, path)
	}
}

func TestWriteIsWholeOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.service.d", "x.conf")
	for i, c := range []struct {
		content string
		changed bool
	}{{"one", true}, {"one", false}, {"two", true}} {
		changed, err := Write(path, []byte(c.content), 0o644)
		b, readErr := os.ReadFile(path)
		if err != nil || readErr != nil || changed != c.changed || string(b) != c.content {
			t.Errorf("%d: changed %t, %v; the file is %q, %v", i, changed, err, b, readErr)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := Write(filepath.Join(path, "below"), nil, 0o644); err == nil {
		t.Error("a path below a file was written")
	}
}

// The comment of the drop-in names what it is made from: the kernel command
// line only where that says something.
func TestSource(t *testing.T) {
	for cmdline, want := range map[string]string{
		"ro":                             "/etc/elastic-etcd/elastic-etcd.conf",
		"ro elastic_etcd.cluster_size=5": "/etc/elastic-etcd/elastic-etcd.conf, the kernel command line",
	} {
		out := t.TempDir()
		if err := Generate(Host{Root: tree(t, map[string]string{etc: disco, "proc/cmdline": cmdline}), Binary: "/usr/bin/elastic-etcd"}, out); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(out, "etcd.service.d/10-elastic-etcd.conf"))
		comment, _, _ := strings.Cut(string(b), "\n")
		if err != nil || comment != "# Generated by elastic-etcd-generator from "+want {
			t.Errorf("with %q: %v, %q, want %q", cmdline, err, comment, want)
		}
	}
}
