package unitfile

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	founding = joiner.EtcdConfig{
		Name: "server1", DataDir: "/var/lib/etcd2", InitialAdvertisePeerURLs: []string{"http://[fd00::1]:2380", "http://10.0.0.1:2380"},
		InitialCluster: []joiner.Peer{
			{Name: "server1", URLs: []string{"http://10.0.0.1:2380", "http://[fd00::1]:2380"}},
			{Name: "server2", URLs: []string{"http://10.0.0.2:2380"}}},
		InitialClusterState: joiner.StateNew, InitialClusterToken: "http://disco/0123456789abcdef",
	}
	joining = joiner.EtcdConfig{
		Name: "50%-öre", DataDir: "data<&>", WALDir: "/wal/$x`y\"z\\'q", InitialAdvertisePeerURLs: []string{"http://10.0.0.1:2380"},
		InitialCluster: []joiner.Peer{{Name: "50%-öre", URLs: []string{"http://10.0.0.1:2380"}}}, InitialClusterState: joiner.StateExisting,
	}
	resuming = joiner.EtcdConfig{Name: "n1", DataDir: "/srv/my data", InitialAdvertisePeerURLs: []string{"http://10.0.0.1:2380"}, InitialClusterState: joiner.StateExisting}
)

func TestGolden(t *testing.T) {
	for name, c := range map[string]joiner.EtcdConfig{"founding": founding, "joining": joining, "resuming": resuming} {
		for _, f := range Formats() {
			got, err := Render(f, c, Options{Requires: true})
			if f == Flags && name == "resuming" {
				if err == nil {
					t.Error("flags carry a space")
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+string(f), got)
		}
	}
	export, err := Render(Env, resuming, Options{Export: true})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "resuming.export", export)
	alone, err := Render(DropIn, resuming, Options{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "resuming.alone", alone)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", name, got, want)
	}
}

func TestJSONHoldsTheSettings(t *testing.T) {
	b, err := Render(JSON, joining, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, s := range joining.Settings() {
		if got[s.Flag] != s.Value {
			t.Errorf("%s is %q, want %q", s.Flag, got[s.Flag], s.Value)
		}
	}
	if len(got) != len(joining.Settings()) {
		t.Errorf("it has more: %v", got)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		value string
		flags bool // refused as flags only
	}{
		{"a\nExecStart=/bin/evil", false}, {"a\x00b", false}, {"a\tb", false}, {"a\x7f", false}, {"a\u0085", false},
		{"\xff", false}, {"\ufdd0", false}, {"\U0001ffff", false}, {strings.Repeat("x", maxVariable), false},
		{strings.Repeat("x", maxVariable+1-len("ETCD_DATA_DIR=")), false},
		{"a b", true}, {"*", true}, {"a?", true}, {"[a]", true}, {"http://[::1]/[a]", true}, {"//[", true},
	} {
		for _, f := range Formats() {
			out, err := Render(f, joiner.EtcdConfig{Name: "n", DataDir: c.value}, Options{})
			refused := err != nil
			if refused != (!c.flags || f == Flags) {
				t.Errorf("%.20q as %s: refused %t", c.value, f, refused)
			}
			if err != nil && (out != nil || !strings.Contains(err.Error(), "data-dir") || len(err.Error()) > 500) {
				t.Errorf("%.20q as %s: rendered %q with error %v", c.value, f, out, err)
			}
		}
	}
}

func TestCarried(t *testing.T) {
	for _, v := range []string{"\ufffd", "\ufffc", "\ufdcf", "\ufdf0", "\u00a0", "http://[::1]:2380", strings.Repeat("x", maxVariable-len("ETCD_DATA_DIR="))} {
		for _, f := range Formats() {
			if _, err := Render(f, joiner.EtcdConfig{Name: "n", DataDir: v}, Options{}); err != nil {
				t.Errorf("%.20q as %s: %v", v, f, err)
			}
		}
	}
}

func TestRefusalSaysWhatAndWhy(t *testing.T) {
	for value, want := range map[string]string{
		"/a\nb":                        `data-dir cannot be printed as flags: the value "/a\nb": control character U+000A at byte 2`,
		"a\xff":                        `data-dir cannot be printed as flags: the value "a\xff": it is not valid UTF-8 at byte 1`,
		"my d":                         `data-dir cannot be printed as flags: the value "my d": a shell would split or expand it at " "; use -o env`,
		strings.Repeat("ö", 90) + "\t": `data-dir cannot be printed as flags: the value "` + strings.Repeat("ö", 80) + `"...: control character U+0009 at byte 180`,
	} {
		_, err := Render(Flags, joiner.EtcdConfig{Name: "n", DataDir: value}, Options{})
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", value, err, want)
		}
	}
}

func TestConflicts(t *testing.T) {
	for _, c := range []struct {
		environ string
		format  Format
		bad     string
	}{
		{"PATH=/bin ETCD_LISTEN_PEER_URLS=x", Flags, ""},
		{"ETCD_NAME=n1", Env, ""},
		{"ETCD_NAME=n1", Flags, "ETCD_NAME"},
		{"ETCD_DATA_DIR=", Flags, "ETCD_DATA_DIR"},
		{"ETCD_INITIAL_CLUSTER=", Flags, ""}, // not printed when resuming
		{"ETCD_DISCOVERY=http://x ETCD_DISCOVERY_TOKEN=y", Env, "ETCD_DISCOVERY ETCD_DISCOVERY_TOKEN"},
		{"ETCD_DISCOVERY=http://x", Flags, "ETCD_DISCOVERY"},
		{"ETCD_DISCOVERY=", Env, ""},
		{"ETCD_DISCOVERY_SRV=x ETCD_DISCOVERY_ENDPOINTS=y", Env, "ETCD_DISCOVERY_ENDPOINTS ETCD_DISCOVERY_SRV"},
		{"ETCD_FORCE_NEW_CLUSTER=false", Env, ""},
		{"ETCD_FORCE_NEW_CLUSTER=true", Env, "ETCD_FORCE_NEW_CLUSTER"},
		{"ETCD_FORCE_NEW_CLUSTER=0", Env, ""},
		{"ETCD_FORCE_NEW_CLUSTER=maybe", Flags, "ETCD_FORCE_NEW_CLUSTER"},
		{"ETCD_CONFIG_FILE=/etc/etcd.yml", Env, "ETCD_CONFIG_FILE"},
		{"ETCD_DISCOVERY_FALLBACK=exit ETCD_PROXY=off", Flags, ""},
		{"ETCD_DISCOVERY_FALLBACK=proxy ETCD_PROXY=on", Env, "ETCD_DISCOVERY_FALLBACK ETCD_PROXY"},
		{"ETCD_INITIAL_CLUSTER=x=http://x ETCD_INITIAL_CLUSTER_TOKEN=x", Env, ""}, // etcd resumes
		{"ETCD_DATA_DIR=/other", Env, ""},                                         // overwritten
		{"ETCD_WAL_DIR=/wal", Env, "ETCD_WAL_DIR"},
		{"ETCD_DISCOVERY=http://x ETCD_NAME=n1", DropIn, ""},
		{"ETCD_DISCOVERY=http://x ETCD_NAME=n1", JSON, ""},
	} {
		err := Conflicts(c.format, strings.Fields(c.environ), resuming)
		switch {
		case c.bad == "" && err != nil:
			t.Errorf("%s as %s: %v", c.environ, c.format, err)
		case c.bad != "" && (err == nil || !strings.HasSuffix(err.Error(), "unset "+c.bad)):
			t.Errorf("%s as %s: got %v, want %q", c.environ, c.format, err, c.bad)
		}
	}
	given := resuming
	given.WALDir = "/wal"
	if err := Conflicts(Env, []string{"ETCD_WAL_DIR=/wal"}, given); err != nil {
		t.Errorf("a WAL dir that is printed: %v", err)
	}
	if err := Conflicts(Env, []string{"ETCD_DATA_DIR=/data"}, joiner.EtcdConfig{Name: "n"}); err == nil {
		t.Error("a data dir that we were not told is no conflict")
	}
	if err := Conflicts(Flags, []string{"ETCD_INITIAL_CLUSTER_TOKEN="}, founding); err == nil {
		t.Error("an empty variable beside its flag is no conflict")
	}
}
