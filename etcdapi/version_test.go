package etcdapi

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

func TestParseVersion(t *testing.T) {
	for s, want := range map[string]joiner.Version{
		"3.6.16":         {Major: 3, Minor: 6},
		" v2.3.8\n":      {Major: 2, Minor: 3},
		"3.7.0-rc.1+git": {Major: 3, Minor: 7},
	} {
		if got, err := ParseVersion(s); err != nil || got != want {
			t.Errorf("%q: %s, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "not_decided", "3", "3.6", "3.x.1", "latest", "3.6.16.1"} {
		if got, err := ParseVersion(s); err == nil || got.Known() || !strings.Contains(err.Error(), s) {
			t.Errorf("%q: %s, %v", s, got, err)
		}
	}
}

func TestLocalVersion(t *testing.T) {
	t.Setenv("ETCD_NAME", "shadowed")
	t.Setenv("ELASTIC_ETCD_PASSWORD", "secret")
	const good = "etcd Version: 3.6.16\nGit SHA: Not provided\n"
	tests := []struct{ name, script, want, err string }{
		{name: "etcd", script: "cat <<E\n" + good + "E\n", want: "3.6"},
		{name: "asked for the version only", script: `[ "$*" = --version ] && echo "etcd Version: 3.4.34"`, want: "3.4"},
		{name: "without variables", script: `[ -z "$ETCD_NAME$ELASTIC_ETCD_PASSWORD" ] && echo "etcd Version: 3.4.34"`, want: "3.4"},
		{name: "another program", script: "echo cat 1.2.3", err: "is it an etcd?"},
		{name: "a bad version", script: "echo etcd Version: x", err: `version "x"`},
		{name: "failing", script: "exit 3", err: "exit status 3"},
		{name: "hanging", script: "exec sleep 60", err: "deadline exceeded"},
		{name: "endless", script: "exec yes", err: "deadline exceeded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			timeout := patient
			if strings.Contains(test.err, "deadline") {
				timeout = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			binary := filepath.Join(t.TempDir(), "etcd")
			if err := os.WriteFile(binary, []byte("#!/bin/sh\n"+test.script), 0o755); err != nil {
				t.Fatal(err)
			}
			v, err := LocalVersion(ctx, binary)
			if test.err == "" && (err != nil || v.String() != test.want) {
				t.Errorf("%s, %v", v, err)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), binary)) {
				t.Errorf("%s, %v", v, err)
			}
		})
	}
	if _, err := LocalVersion(t.Context(), "/nonexistent/etcd"); err == nil || !strings.Contains(err.Error(), "/nonexistent/etcd") {
		t.Errorf("no binary: %v", err)
	}
}

// TestLocalVersionLate: what hangs once, as on a machine that is suspended, is
// asked again.
func TestLocalVersionLate(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "etcd")
	script := "#!/bin/sh\n[ -e " + dir + "/asked ] || { : > " + dir + "/asked; exec sleep 60; }\necho etcd Version: 3.6.16\n"
	if err := os.WriteFile(binary, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if v, err := localVersion(t.Context(), binary, time.Second); err != nil || v.String() != "3.6" {
		t.Errorf("%s, %v", v, err)
	}
}
