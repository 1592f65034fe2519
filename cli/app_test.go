package cli

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// elastic runs one command line as main does.
func elastic(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = Run(t.Context(), append([]string{"elastic-etcd"}, args...), environ, &out, &log)
	return code, out.String(), log.String()
}

// deadDiscovery is a discovery URL that refuses connections.
func deadDiscovery(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String() + "/0123456789abcdef0123456789abcdef"
}

// Wrong usage is one line that says what is wrong and what would be right.
func TestWrongUsage(t *testing.T) {
	for _, c := range []struct {
		args string
		says string
	}{
		{"-bogus", "no flag -bogus"},
		{"bogus", `"bogus" is not a command`},
		{"plan bogus -name=a", `"bogus" is not a command`},
		{"discovery bogus", "serve, new"},
		{"discovery", "serve or new"},
		{"version now", `"now"`},
		{"promote --unit=etcd.service --no-block -name=a -user=root:secret", "everybody can read"},
		{"promote --unit=etcd.service --no-block -name=a -discovery-password secret", "everybody can read"},
		{"-o xml -name=a", "env, dropin, flags, json"},
		{"plan -o xml -name=a", "text or json"},
		{"", "-name"},
		{"-name", "missing after -name"},
		{"-name=a,b", "comma"},
		{"-name=a=b", "equals sign"},
		{"-name=" + strings.Repeat("a", 300), "255"},
		{"-name=a -client-port=x", "whole number"},
		{"-name=a -client-port=0", "1 to 65535"},
		{"-name=a -cluster-size=-2", "-cluster-size=-2"},
		{"-name=a -join-strategy=bold", "prepare, add, replace, prune"},
		{"-name=a -timeout=soon", "duration"},
		{"-name=a -timeout=10s", "longer than -dead-after"},
		{"-name=a -dead-after=0s", "-dead-after"},
		{"--version", "(elastic-etcd version prints it)"},
		{"-name=a -requires=maybe", "yes or no"},
		{"-name=a -stale-data=burn", "archive or refuse"},
		{"-name=a -initial-advertise-peer-urls=", "no peer URL"},
		{"-name=a -initial-advertise-peer-urls=10.0.0.1:2380", "peer URL"},
		{"-name=a -initial-advertise-peer-urls=http://10.0.0.1", "scheme://host:port"},
		{"-name=a -initial-advertise-peer-urls=http://10.0.0.1:2380/x", "nothing behind it"},
		{"-name=a -initial-advertise-peer-urls=http://u:secret@10.0.0.1:2380", `"xxxxx@10.0.0.1:2380"`},
		{"-name=a -endpoints=http://u:secret@10.0.0.1:2379", `"xxxxx@10.0.0.1:2379"`},
		{"-name=a -initial-advertise-peer-urls=ftp://10.0.0.1:2380", "http or https"},
		{"-name=a -initial-advertise-peer-urls=http://10.0.0.1:1,http://10.0.0.1:1", "twice"},
		{"-name=a -etcd-version=new", "-etcd-version"},
		{"-name=a -etcd-binary=/nonexistent/etcd", "/nonexistent/etcd"},
		{"-name=a -discovery=ftp://x/y", "-discovery"},
		{"-name=a -endpoints=http://", "http://"},
		{"-name=a -discovery=http://127.0.0.1:1/x -cacert=/nonexistent/ca", "/nonexistent/ca"},
		{"-name=a -log_dir=/nonexistent/dir", "/nonexistent/dir"},
		{"-name=* -o=flags", "shell"},
		{"plan --observation=/nonexistent/file", "/nonexistent/file"},
		{"discovery new --server=nonsense", "nonsense"},
		{"discovery new --server=u:secret@h", "=xxxxx@h is not"},
		{"-name=a -initial-cluster=n1http://u:secret@h:1", `"xxxxx@h:1"`},
	} {
		code, stdout, stderr := elastic(t, nil, strings.Fields(c.args)...)
		if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.says) {
			t.Errorf("elastic-etcd %s:\nexit code %d, stdout %q, stderr %q; want 2 and one line with %q", c.args, code, stdout, stderr, c.says)
		}
	}
}

func TestWrongVariable(t *testing.T) {
	code, stdout, stderr := elastic(t, []string{"ELASTIC_ETCD_CLUSTER_SIZE=many"}, "-name=a")
	if code != exitUsage || stdout != "" || !strings.Contains(stderr, "ELASTIC_ETCD_CLUSTER_SIZE") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

// The lines of the seed's README run as they are printed there, with one dash
// or with two.
func TestSeedsCommandLine(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dash := range []string{"-", "--"} {
		line := "-v=6 -logtostderr -o flags -discovery=" + deadDiscovery(t) + " -name=master2 -client-port=2379 -initial-advertise-peer-urls=http://1.2.3.4:2380" +
			" -alsologtostderr=false -log_backtrace_at=:0 -stderrthreshold=2 -vmodule= -join-strategy=dumb -cluster-size=-1 -data-dir=data -timeout=2s -dead-after=1s"
		args := strings.Fields(strings.ReplaceAll(line, " -", " "+dash))
		code, stdout, stderr := elastic(t, nil, args...)
		if code != 75 || stdout != "" || !strings.Contains(stderr, "reason=discovery-unreachable") {
			t.Errorf("with %s: exit code %d, %q, %q", dash, code, stdout, stderr)
		}
	}
}

// The variables are those of the run, not those of the process.
func TestVariables(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("ELASTIC_ETCD_NAME", "n8")
	t.Setenv("ELASTIC_ETCD_LEARNER", "of the process")
	t.Setenv(passwordVariable, "of the process")
	var environ []string
	for name, value := range map[string]string{
		"JOIN_STRATEGY": "prune", "CLIENT_PORT": "4001", "CLUSTER_SIZE": "5", "DATA_DIR": "data", "NAME": "n7",
		"INITIAL_ADVERTISE_PEER_URLS": "http://10.0.0.7:2380", "DISCOVERY": deadDiscovery(t), "TIMEOUT": "2s", "DEAD_AFTER": "1s",
	} {
		environ = append(environ, "ELASTIC_ETCD_"+name+"="+value)
	}
	code, stdout, stderr := elastic(t, environ, "plan", "-o=json")
	if code != 75 {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	for _, want := range []string{`"prune"`, `"size": 5`, `"data"`, `"n7"`, `"http://10.0.0.7:2380"`} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the policy lacks %s: %s", want, stdout)
		}
	}
}

func TestNotConfigured(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, stderr := elastic(t, nil, "-name=a")
	if code != 6 || stdout != "" || !strings.Contains(stderr, "-discovery=URL") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

// A wait that is interrupted says so, and is no verdict.
func TestInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var out, log bytes.Buffer
	code := Run(ctx, []string{"elastic-etcd", "-name=a", "-discovery=" + deadDiscovery(t)}, nil, &out, &log)
	if code != 75 || out.Len() != 0 || !strings.Contains(log.String(), "interrupted") {
		t.Errorf("exit code %d, %q, %q", code, out.String(), log.String())
	}
}

// What would spoil the output is refused before anything is looked at.
func TestSpoiledEnvironment(t *testing.T) {
	code, stdout, stderr := elastic(t, []string{"ETCD_DISCOVERY=http://x"}, "-name=a", "-discovery=http://127.0.0.1:1/x")
	if code != 78 || stdout != "" || !strings.Contains(stderr, "unset ETCD_DISCOVERY") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

// A plan can be replayed from its own JSON, without a world.
func TestReplay(t *testing.T) {
	t.Chdir(t.TempDir())
	code, made, _ := elastic(t, nil, "plan", "-o=json", "-name=a", "-endpoints=http://127.0.0.1:1", "-timeout=2s", "-dead-after=1s")
	if code != 75 {
		t.Fatalf("exit code %d", code)
	}
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, []byte(made), 0o644); err != nil {
		t.Fatal(err)
	}
	code, again, stderr := elastic(t, nil, "plan", "-o=json", "--observation="+file)
	if code != 75 || again != made {
		t.Errorf("exit code %d, stderr %q, stdout %s, want %s", code, stderr, again, made)
	}
	for _, garbage := range []string{"", "[]", "{}", "null", `{"policy":{"name":"a"}}`, "\x00\x01"} {
		if err := os.WriteFile(file, []byte(garbage), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := elastic(t, nil, "plan", "--observation="+file); code != exitUsage && code != 6 {
			t.Errorf("%q: exit code %d, %q", garbage, code, stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"--help", "-h", "help", "plan --help", "discovery serve --help", "help plan"} {
		code, stdout, stderr := elastic(t, nil, strings.Fields(args)...)
		if code != 0 || !strings.Contains(stdout, "USAGE:") || stderr != "" {
			t.Errorf("%s: exit code %d, %q, %q", args, code, stdout, stderr)
		}
	}
	_, stdout, _ := elastic(t, nil, "--help")
	for _, old := range []string{"-o format", "--join-strategy", "--client-port", "--cluster-size", "--discovery", "--data-dir", "--name", "--initial-advertise-peer-urls", "-v level", "75 not now"} {
		if !strings.Contains(stdout, old) {
			t.Errorf("--help does not show %s", old)
		}
	}
	for _, hidden := range []string{"vmodule", "log_backtrace_at"} {
		if strings.Contains(stdout, hidden) {
			t.Errorf("--help shows %s", hidden)
		}
	}
}

func TestVersionAndCompletion(t *testing.T) {
	if code, stdout, _ := elastic(t, nil, "version"); code != 0 || !strings.HasPrefix(stdout, "elastic-etcd ") {
		t.Errorf("version: %d, %q", code, stdout)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, stdout, _ := elastic(t, nil, "completion", shell); code != 0 || !strings.Contains(stdout, "elastic-etcd") {
			t.Errorf("completion %s: %d, %q", shell, code, stdout)
		}
	}
}

func TestLogDir(t *testing.T) {
	t.Chdir(t.TempDir())
	dir := t.TempDir()
	code, _, stderr := elastic(t, nil, "-name=a", "-log_dir="+dir, "-stderrthreshold=FATAL")
	b, err := os.ReadFile(filepath.Join(dir, "elastic-etcd.log"))
	if code != 6 || err != nil || !strings.Contains(string(b), "not-configured") || stderr != "" {
		t.Errorf("exit code %d, file %q, %v, stderr %q", code, b, err, stderr)
	}
	if _, _, stderr := elastic(t, nil, "-name=a", "-log_dir="+dir, "-stderrthreshold=FATAL", "-alsologtostderr"); !strings.Contains(stderr, "not-configured") {
		t.Errorf("with -alsologtostderr: %q", stderr)
	}
}

// What comes from outside cannot make a line of its own.
func TestPrintable(t *testing.T) {
	if got := printable("a\nb\x1b[2J\u202eü\x00"); got != `a\nb\x1b[2J\u202eü\x00` {
		t.Errorf("got %q", got)
	}
}

// A member/ that is a link to another disk is told for what it is.
func TestLinkedMember(t *testing.T) {
	dir, disk := t.TempDir(), t.TempDir()
	if err := os.Symlink(disk, filepath.Join(dir, "member")); err != nil {
		t.Fatal(err)
	}
	line := "-name=a -initial-cluster=a=http://127.9.9.9:1 -initial-cluster-state=new -initial-advertise-peer-urls=http://127.9.9.9:1" +
		" -client-port=2 -etcd-version=3.6.0 -timeout=9s -dead-after=1s -data-dir=" + dir
	code, stdout, stderr := elastic(t, nil, strings.Fields(line)...)
	if code != 78 || stdout != "" || !strings.Contains(stderr, disk) || !strings.Contains(stderr, "whole data dir on that disk") || strings.Contains(stderr, "writable") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

// TestInterruptedAtOnce: a signal that comes before anything is looked at is no
// failure.
func TestInterruptedAtOnce(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out, log bytes.Buffer
	if code := Run(ctx, []string{"elastic-etcd", "promote", "--unit=etcd.service"}, nil, &out, &log); code != 75 {
		t.Errorf("exit code %d: %s", code, log.String())
	}
}
