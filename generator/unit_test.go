package generator

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

var decision = joiner.EtcdConfig{Name: "n1", DataDir: "/var/lib/etcd", InitialAdvertisePeerURLs: []string{"http://10.0.0.1:2380"}, InitialClusterState: "existing"}

func unitWith(command string, env map[string]string, files ...string) Unit {
	return Unit{Name: "etcd.service", Loaded: true, Command: strings.Fields(command), Environment: env, EnvironmentFiles: files}
}

func envFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "etcd")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadUnit(t *testing.T) {
	u := readUnit("etcd.service", map[string]any{
		"LoadState": "loaded", "WorkingDirectory": "/srv", "DropInPaths": []string{"/run/x.conf"},
		"Environment":      []string{"ETCD_NAME=a=b", "X="},
		"EnvironmentFiles": [][]any{{"/etc/default/etcd", true}, {}, {7}},
		"ExecStart":        [][]any{{"/usr/bin/etcd", []string{"any other name", "$ARGS"}, false}},
	})
	if !u.Loaded || u.Environment["ETCD_NAME"] != "a=b" || !slices.Equal(u.EnvironmentFiles, []string{"/etc/default/etcd"}) || !slices.Equal(u.Command, []string{"/usr/bin/etcd", "$ARGS"}) {
		t.Errorf("read %+v", u)
	}
	if u := readUnit("x.service", map[string]any{"LoadState": "not-found", "Environment": 7, "ExecStart": "x"}); u.Loaded || len(u.Command) != 0 {
		t.Errorf("read %+v", u)
	}
}

// TestUnitIsUp: the ExecStartPost= of a unit that is being started counts, that
// of one that is being stopped does not.
func TestUnitIsUp(t *testing.T) {
	for state, want := range map[string]bool{"active": true, "activating": true, "reloading": true, "deactivating": false, "inactive": false, "failed": false, "": false} {
		if got := readUnit("etcd.service", map[string]any{"ActiveState": state}).Up; got != want {
			t.Errorf("a unit that is %q is up: %v", state, got)
		}
	}
}

func TestSetting(t *testing.T) {
	file := envFile(t, "# comment\nETCD_NAME='from file'\nARGS=\"--data-dir /flag/dir --wal-dir=/flag/wal\"\n")
	u := unitWith("/usr/bin/etcd $ARGS", map[string]string{"ETCD_NAME": "from unit", "ETCD_DATA_DIR": "rel"}, file)
	for name, want := range map[string]string{"name": "from file", "data-dir": "/flag/dir", "wal-dir": "/flag/wal", "initial-cluster": ""} {
		if got := u.Setting(name, ""); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := u.Setting("name", file); got != "from unit" {
		t.Errorf("without our own file: %q", got)
	}
	if got := u.Path("rel"); got != "/rel" {
		t.Errorf("path %q", got)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		command string
		env     map[string]string
		says    string
	}{
		{"/usr/bin/etcd", nil, ""},
		{"/usr/bin/etcd --listen-peer-urls=http://0.0.0.0:2380", nil, ""},
		{"/usr/bin/etcd -name=n1", nil, "--name"},
		{"/usr/bin/etcd --data-dir /x --name n1", nil, "--name --data-dir"},
		{"/usr/bin/etcd $ARGS", map[string]string{"ARGS": "--discovery=http://x"}, "--discovery"},
		{"/usr/bin/etcd ${ARGS}", map[string]string{"ARGS": "--name=n1"}, "--name"},
		{"/usr/bin/podman run --name systemd-etcd --rm quay.io/coreos/etcd:v3.6.1 /usr/local/bin/etcd --listen-peer-urls=x", nil, ""},
		{"/usr/bin/podman run --name systemd-etcd --rm quay.io/coreos/etcd:v3.6.1 /usr/local/bin/etcd --name=x", nil, "--name"},
		{"/usr/bin/etcd --config-file=/etc/etcd.yml", nil, "--config-file"},
		{"/usr/bin/etcd", map[string]string{"ETCD_CONFIG_FILE": "/etc/etcd.yml"}, "ETCD_CONFIG_FILE"},
	} {
		err := unitWith(c.command, c.env).Check(decision, "")
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.command, err, c.says)
		}
	}
}

// TestCheckComments: only what versions of systemd disagree on, and etcd would
// see, is refused.
func TestCheckComments(t *testing.T) {
	for content, good := range map[string]bool{
		"# a\\\n# b\nETCD_NAME=x\n":      true,
		"# a\\\nGOMAXPROCS=2\n":          true,
		"# a\\\\\nETCD_NAME=x\n":         true,
		"# a\\\nETCD_WAL_DIR=/wal\n":     false,
		"# a\\\nX='\nETCD_NAME=x\n# '\n": false,
		"# a\\\nARGS=--heartbeat\n":      false,
	} {
		file := envFile(t, content)
		u := unitWith("/usr/bin/etcd $ARGS", nil, file)
		if err := u.Check(decision, ""); (err == nil) != good || err != nil && !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", content, err)
		}
		if err := u.Check(decision, file); err != nil {
			t.Errorf("%q of our own: %v", content, err)
		}
	}
}

func TestBeaten(t *testing.T) {
	file := envFile(t, "ETCD_NAME=other\nETCD_DATA_DIR=\"/var/lib/etcd\"\nETCD_LISTEN_PEER_URLS=x\n")
	u := unitWith("/usr/bin/etcd", map[string]string{"ETCD_INITIAL_CLUSTER_STATE": "new"}, file, "/nonexistent/*")
	if got := u.Beaten(decision, ""); !slices.Equal(got, []string{"ETCD_NAME"}) {
		t.Errorf("beaten: %q", got)
	}
	if got := u.Beaten(decision, file); len(got) != 0 {
		t.Errorf("our own file beats us: %q", got)
	}
}

// Bytes on disk do not tell that systemd has read them.
func TestHas(t *testing.T) {
	env := map[string]string{}
	for _, s := range decision.Settings() {
		env["ETCD_"+strings.ToUpper(strings.ReplaceAll(s.Flag, "-", "_"))] = s.Value
	}
	u := unitWith("/usr/bin/etcd", env)
	if u.Has(decision, "/run/d.conf", "") {
		t.Error("a drop-in that systemd does not know")
	}
	u.DropIns = []string{"/run/d.conf"}
	if !u.Has(decision, "/run/d.conf", "") || u.Has(decision, "/run/d.conf", "/run/e.env") {
		t.Error("a drop-in that systemd has read")
	}
	env["ETCD_NAME"] = "old"
	if u.Has(decision, "/run/d.conf", "") {
		t.Error("a drop-in of which systemd has read an older version")
	}
}

func TestCheckUnit(t *testing.T) {
	for name, good := range map[string]bool{"etcd.service": true, "etcd@1.service": true, "a\\x2db.service": true, "etcd": false, "": false, "../x.service": false, "a b.service": false, ".service": false, "etcd.socket": false} {
		if err := CheckUnit(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}
