package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/sttts/elastic-etcd/discovery/server"
)

// TestDiscoveryServeLeavesNothing: what is wrong with a command line is told
// before a file is made.
func TestDiscoveryServeLeavesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	for args, says := range map[string]string{
		"--listen=127.0.0.1:99999":                          "invalid port",
		"--listen=nonsense":                                 "missing port",
		"--listen=127.0.0.1:0 --url=foo":                    "want http(s)://host",
		"--listen=127.0.0.1:0 --cert-file=x":                "needs both",
		"--listen=127.0.0.1:0 --client-cert-auth":           "needs --trusted-ca-file",
		"--listen=127.0.0.1:0 --new-token-file=/no/such":    "no such file",
		"--listen=127.0.0.1:0 --rate=many":                  "--help",
		"--listen=127.0.0.1:0 extra":                        "not a command",
		"--listen=127.0.0.1:0 --data=/no/such/directory/db": "no such file",
	} {
		code, stdout, stderr := elastic(t, nil, append([]string{"discovery", "serve"}, strings.Fields(args)...)...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit code %d, %q, %q; want %q", args, code, stdout, stderr, says)
		}
		if left, _ := os.ReadDir("."); len(left) != 0 {
			t.Errorf("%s: left %v behind", args, left)
		}
	}
}

// TestDiscoveryServeUsage: what can be meant in one way only is not guessed.
func TestDiscoveryServeUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		environ []string
		args    []string
		says    string
	}{
		{nil, []string{"--endpoints= , "}, "--endpoints"},
		{nil, []string{"--endpoints="}, "--endpoints"},
		{[]string{"ELASTIC_ETCD_DISCOVERY_STORE_ENDPOINTS= , "}, nil, "--endpoints"},
		{nil, []string{"--endpoints=http://127.0.0.1:1", "--data=x"}, "want one of them"},
		{[]string{"ELASTIC_ETCD_DISCOVERY_DATA=y"}, []string{"--endpoints=http://127.0.0.1:1", "--data=x"}, "want one of them"},
		{nil, []string{"--listen="}, "--listen"},
		{nil, []string{"--rate=-1"}, "--rate=-1"},
		{nil, []string{"--rate=NaN"}, "--rate=NaN"},
		{nil, []string{"--new-rate=-0.5"}, "--new-rate=-0.5"},
		{nil, []string{"--new-rate=Inf"}, "--new-rate=+Inf"},
		{nil, []string{"--data-limit=-1"}, "--data-limit=-1"},
		{nil, []string{"--data-limit=9223372036854775807"}, "--data-limit"},
		{nil, []string{"--expire=-1h"}, "--expire=-1h"},
	} {
		args := append([]string{"discovery", "serve"}, c.args...)
		if c.args == nil || c.args[0] != "--listen=" {
			args = append(args, "--listen=127.0.0.1:0")
		}
		code, stdout, stderr := elastic(t, c.environ, args...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, c.says) {
			t.Errorf("%q %q: exit code %d, %q, %q; want %q", c.environ, c.args, code, stdout, stderr, c.says)
		}
		if left, _ := os.ReadDir("."); len(left) != 0 {
			t.Errorf("%q: left %v behind", c.args, left)
		}
	}
}

// TestDiscoveryServeVariables: the unit has a variable of --data, and an empty
// variable names nothing.
func TestDiscoveryServeVariables(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		environ, args []string
		says          string
	}{
		{[]string{"ELASTIC_ETCD_DISCOVERY_DATA=y"}, []string{"--endpoints=http://127.0.0.1:1"}, "from the etcd at http://127.0.0.1:1"},
		{[]string{"ELASTIC_ETCD_DISCOVERY_STORE_ENDPOINTS="}, []string{"--data=x"}, "from x"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		log := &endAt{text: c.says, end: cancel}
		code := Run(ctx, append([]string{"elastic-etcd", "discovery", "serve", "--listen=127.0.0.1:0"}, c.args...), c.environ, io.Discard, log)
		if cancel(); code != 0 || !strings.Contains(log.String(), c.says) {
			t.Errorf("%q %q: exit code %d, %q", c.environ, c.args, code, log.String())
		}
	}
}

// TestDiscoveryServeLogsDates, to standard error and to a file: it runs for weeks.
func TestDiscoveryServeLogsDates(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range [][]string{nil, {"--log_dir=."}} {
		ctx, cancel := context.WithCancel(t.Context())
		log := &endAt{text: "serving", end: cancel}
		code := Run(ctx, slices.Concat([]string{"elastic-etcd"}, dir, []string{"discovery", "serve", "--listen=127.0.0.1:0"}), nil, io.Discard, log)
		cancel()
		for line := range strings.Lines(log.String()) {
			if at, _, _ := strings.Cut(line, " "); code != 0 || !isDate(at) {
				t.Errorf("exit code %d: %q", code, line)
			}
		}
	}
}

// TestDiscoveryServeProbes: a store that is not there is told of at once, with
// the reason, and served from as soon as it is; also where it wants a password.
func TestDiscoveryServeProbes(t *testing.T) {
	for _, args := range [][]string{nil, {"--user=root:secret"}} {
		ctx, cancel := context.WithCancel(t.Context())
		log := &endAt{text: "serving", end: cancel}
		code := Run(ctx, append([]string{"elastic-etcd", "discovery", "serve", "--listen=127.0.0.1:0", "--endpoints=http://127.0.0.1:1"}, args...), nil, io.Discard, log)
		cancel()
		if first, _, _ := strings.Cut(log.String(), "\n"); code != 0 || !strings.Contains(first, " warning ") || !strings.Contains(first, "connection refused") {
			t.Errorf("%q: exit code %d: %s", args, code, log.String())
		}
	}
}

func isDate(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

// endAt is a log that ends a run at some word.
type endAt struct {
	bytes.Buffer
	text string
	end  func()
}

func (e *endAt) Write(line []byte) (int, error) {
	if strings.Contains(string(line), e.text) {
		e.end()
	}
	return e.Buffer.Write(line)
}

// TestDiscoveryServeDamaged: trying again does not help.
func TestDiscoveryServeDamaged(t *testing.T) {
	page := int64(os.Getpagesize())
	for _, size := range []int64{1, page, 2*page - 1, 2 * page} {
		path := filepath.Join(t.TempDir(), "d.db")
		store, err := server.Open(path)
		if err == nil {
			err = store.Close()
		}
		if err := errors.Join(err, os.Truncate(path, size)); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := elastic(t, nil, "discovery", "serve", "--listen=127.0.0.1:0", "--data="+path)
		if code != 78 || stdout != "" || !strings.Contains(stderr, "the file "+path+" is damaged: restore it from a copy") {
			t.Errorf("%d bytes: exit code %d, %q, %q", size, code, stdout, stderr)
		}
	}
}

// TestDiscoveryServeForeign: nor does it with the database of an etcd.
func TestDiscoveryServeForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err == nil {
		err = errors.Join(db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("members")); return err }), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := elastic(t, nil, "discovery", "serve", "--listen=127.0.0.1:0", "--data="+path)
	if code != 78 || stdout != "" || !strings.Contains(stderr, path+": not a discovery store") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

// TestDiscoveryHelp: the flags of a decision are of no use here.
func TestDiscoveryHelp(t *testing.T) {
	for _, args := range []string{"discovery --help", "discovery -h", "discovery help", "help discovery", "discovery serve --help", "discovery help serve", "discovery new -h"} {
		code, stdout, stderr := elastic(t, nil, strings.Fields(args)...)
		if code != 0 || !strings.Contains(stdout, "USAGE:") || stderr != "" {
			t.Errorf("%s: exit code %d, %q, %q", args, code, stdout, stderr)
		}
		if strings.Contains(stdout, "GLOBAL") || strings.Contains(stdout, "--join-strategy") || !strings.Contains(stdout, "--help") {
			t.Errorf("%s: %s", args, stdout)
		}
		if !strings.Contains(args, "serve") && !strings.Contains(args, "new") && (!strings.Contains(stdout, "COMMANDS:\n   serve  ") || !strings.Contains(stdout, "\n   new    ")) {
			t.Errorf("%s: %s", args, stdout)
		}
	}
}

// TestDiscoveryNewFails: the exit code of a token that is not made tells
// whether another try may help, and the error names the address.
func TestDiscoveryNewFails(t *testing.T) {
	answers := func(code int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog, secure.EnableHTTP2 = log.New(io.Discard, "", 0), true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--server=http://127.0.0.1:1", 75, "127.0.0.1:1: connection refused"},
		{"--v2 --server=http://127.0.0.1:1", 75, "127.0.0.1:1: connection refused"},
		{"--endpoints=http://127.0.0.1:1", 75, "127.0.0.1:1: connection refused"},
		{"--server=" + answers(500), 75, "500 Internal"},
		{"--v2 --server=" + answers(503), 75, "503 Service"},
		{"--server=" + answers(429), 75, "429 Too Many"},
		{"--server=" + answers(401), 78, "401 Unauthorized"},
		{"--v2 --server=" + answers(403), 78, "403 Forbidden"},
		{"--server=" + answers(400), 78, "400 Bad Request"},
		{"--server=" + answers(302), 78, "302 Found"},
		{"--server=" + answers(404), 78, "404 Not Found"},
		{"--server=" + answers(200), 78, "answered no URL"},
		{"--v2 --server=" + answers(404), 78, "serves no v2 keys"},
		{"--v2 --server=" + answers(200), 78, "with v2 keys?"},
		{"--endpoints=" + answers(404), 78, "speaks no gRPC"},
		{"--server=" + secure.URL, 78, strings.TrimPrefix(secure.URL, "https://") + ": TLS: failed to verify"},
		{"--server=" + strings.Replace(answers(200), "http:", "https:", 1), 78, "gave HTTP response"},
		{"--endpoints=" + secure.URL, 78, secure.URL + ": TLS: failed to verify"},
		{"--endpoints=,", 2, "no URL"},
		{"--endpoints=http://u:hidden@h:1", 2, "give --user"},
		{"--server=http://u:hidden@h:1", 2, "not supported"},
		{"--server=ftp://h:1", 2, "is not a URL such as http://"},
		{"--v2 --server=//h:1", 2, "is not a URL such as http://"},
	} {
		code, stdout, stderr := elastic(t, nil, append([]string{"discovery", "new"}, strings.Fields(c.args)...)...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.says) || strings.Contains(stderr, "hidden") {
			t.Errorf("%s: exit code %d, %q, %q; want %d, %q", c.args, code, stdout, stderr, c.code, c.says)
		}
	}
}
