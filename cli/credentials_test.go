package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/etcdapi"
)

// texts are the flags of a command line.
type texts map[string]string

func (v texts) String(name string) string     { return v[name] }
func (v texts) Int(string) int                { return 0 }
func (v texts) Duration(string) time.Duration { return 0 }
func (v texts) Bool(name string) bool         { return v[name] == "true" }

func TestReadCredentials(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("file", "se:cret\r\n")
	for _, c := range []struct {
		name, user, file, variable string
		want                       etcdapi.Credentials
		says                       string // of the error; "" = none
	}{
		{name: "nobody"},
		{name: "etcdctl's form", user: "root:se:cret", want: etcdapi.Credentials{User: "root", Password: "se:cret"}},
		{name: "etcdctl's form beats the variable", user: "root:a", variable: "b", want: etcdapi.Credentials{User: "root", Password: "a"}},
		{name: "file", user: "root", file: file, want: etcdapi.Credentials{User: "root", Password: "se:cret", File: file}},
		{name: "file beats the variable", user: "root", file: file, variable: "b", want: etcdapi.Credentials{User: "root", Password: "se:cret", File: file}},
		{name: "variable", user: "root", variable: "b", want: etcdapi.Credentials{User: "root", Password: "b"}},
		{name: "both", user: "root:hidden", file: file, says: "give one"},
		{name: "no password", user: "root", says: passwordVariable},
		{name: "an empty one", user: "root:", says: passwordVariable},
		{name: "an empty file", user: "root", file: write("empty", "\n"), says: passwordVariable},
		{name: "no user", user: ":hidden", says: "without a user"},
		{name: "no user, file", file: file, says: "without a user"},
		{name: "no user, variable", variable: "hidden", says: "without a user"},
		{name: "no such file", user: "root", file: dir + "/none", says: "/none"},
		{name: "a directory", user: "root", file: dir, says: dir},
		{name: "a file without end", user: "root", file: "/dev/zero", says: "longer"},
		{name: "two lines", user: "root", file: write("two", "a\nhidden\n"), says: "one line"},
	} {
		a := &app{environ: []string{passwordVariable + "=" + c.variable}}
		got, err := a.readCredentials(texts{"user": c.user, "password-file": c.file})
		if (err == nil) != (c.says == "") || err == nil && got != c.want {
			t.Errorf("%s: %q with password %q, %v", c.name, got.User, got.Password, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hidden")) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

// Neither the help page nor a plan shows a password.
func TestPasswordIsNotPrinted(t *testing.T) {
	t.Chdir(t.TempDir())
	environ := []string{"ELASTIC_ETCD_USER=root:hidden", passwordVariable + "=hidden"}
	line := "-name=a -timeout=2s -dead-after=1s -etcd-version=any -v=9 -discovery=" + deadDiscovery(t)
	for _, args := range []string{"--help", "plan --help", "plan -o=json " + line, "plan " + line, line, "-bogus"} {
		_, stdout, stderr := elastic(t, environ, strings.Fields(args)...)
		if strings.Contains(stdout+stderr, "hidden") {
			t.Errorf("elastic-etcd %s prints the password:\n%s%s", args, stdout, stderr)
		}
	}
}
