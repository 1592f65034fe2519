//go:build unix

package discovery

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

func TestSplitWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":        nil,
		" \t\n":   nil,
		"a  b\tc": {"a", "b", "c"},
		`discover addrs "provider=aws tag_key=x y"`: {"discover", "addrs", "provider=aws tag_key=x y"},
		`a '' ""`:             {"a", "", ""},
		`a\ b 'c\d' "e\"f\g"`: {"a b", `c\d`, `e"f\g`},
		`'a|b;$c'"d|e"`:       {"a|b;$cd|e"},
		`"\$x" \$y \\`:        {"$x", "$y", `\`},
		`a*b ~ #c`:            {"a*b", "~", "#c"},
		"über'ü'":             {"überü"},
	} {
		if got, err := splitWords(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v; want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`a | b`, `a; b`, `a & b`, `a > b`, "`a`", `$(a)`, `$A`, `"$A"`, "\"`a`\"", `'a`, `"a`, `a\`} {
		if got, err := splitWords(line); err == nil {
			t.Errorf("%q: got %q, want an error", line, got)
		}
	}
}

func FuzzSplitWords(f *testing.F) {
	for _, line := range []string{`a 'b c' "d\"e" \f`, `a|b`, `"`, `\`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words, err := splitWords(line)
		if err != nil {
			return
		}
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		again, err := splitWords(strings.Join(quoted, " "))
		if err != nil || !slices.Equal(again, words) {
			t.Errorf("%q: %q became %q, %v", line, words, again, err)
		}
	})
}

func TestPeerAddress(t *testing.T) {
	for word, want := range map[string]string{
		"10.0.0.1":              "https://10.0.0.1:2380",
		"10.0.0.1:1":            "https://10.0.0.1:1",
		"n1.example.com":        "https://n1.example.com:2380",
		"n1:2379":               "https://n1:2379",
		"::1":                   "https://[::1]:2380",
		"[fd00::1]":             "https://[fd00::1]:2380",
		"[fd00::1]:7":           "https://[fd00::1]:7",
		"http://10.0.0.1:2380":  "http://10.0.0.1:2380",
		"http://10.0.0.1:2380/": "http://10.0.0.1:2380",
		"http://n1":             "http://n1:2380",
		"http://[::1]":          "http://[::1]:2380",
		"ftp://n1":              "", "http://n1/path": "", "http://u:p@n1": "", "-": "", "Error:": "", "a=b": "", "": "", "x\x1b[2J": "", "http://n1:2380?x": "",
		"$(reboot)": "", "n1,n2": "",
	} {
		if got, err := peerAddress(word, "https"); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", word, got, err, want)
		}
	}
}

// script is a command line that runs these lines of a shell.
func script(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	return "/bin/sh " + path
}

func TestCommand(t *testing.T) {
	t.Setenv("ELASTIC_ETCD_PASSWORD", "hidden")
	t.Setenv("ELASTIC_ETCD_DISCOVERY_PASSWORD", "hidden")
	for name, c := range map[string]struct {
		line string
		urls []string
		says string // of the error; "" = none
	}{
		"addresses":          {"/bin/echo '10.0.0.1  10.0.0.2:1\nhttp://n3:2'", []string{"http://10.0.0.1:2380", "http://10.0.0.2:1", "http://n3:2"}, ""},
		"nothing":            {"true", nil, `"true" printed no addresses`},
		"no shell":           {"/bin/echo '$HOME'", nil, `"$HOME", which is not an address`},
		"a password":         {"/bin/echo http://u:s3c/ret@10.0.0.1:2380", nil, `its output has "xxxxx@10.0.0.1:2380", which`},
		"one in no URL":      {"/bin/echo u:s3cret@10.0.0.1:2380", nil, `its output has "xxxxx@10.0.0.1:2380", which`},
		"one on stderr":      {script(t, "echo 'http://u:s3c/ret@h fails' >&2; exit 1"), nil, `"http://xxxxx@h fails"`},
		"some are not":       {"/bin/echo oops! 10.0.0.1", []string{"http://10.0.0.1:2380"}, `"oops!"`},
		"no such program":    {"/no/such/program", nil, "no such file"},
		"not on the path":    {"no-such-program-anywhere", nil, "executable file not found"},
		"fails":              {script(t, "echo 10.0.0.1; echo; echo 'no \x1b[2Jcredentials' >&2; echo more >&2; exit 3"), nil, `exit status 3: "no \x1b[2Jcredentials" "more"`},
		"logs first":         {script(t, "for i in 1 2 3 4 5; do echo [INFO] $i >&2; done; echo >&2; echo '[ERR] no credentials' >&2; exit 1"), nil, `exit status 1: "[INFO] 4" "[INFO] 5" "[ERR] no credentials"`},
		"logs much first":    {script(t, "yes oops | head -c 1000000 >&2; echo '[ERR] no credentials' >&2; exit 1"), nil, `"oops" "oops" "[ERR] no credentials"`},
		"a long line":        {script(t, "(printf 'http://u:s3c/ret'; yes s3c/ret | head -c 5000 | tr -d '\\n'; echo '@h fails') >&2; exit 1"), nil, `exit status 1: "fails"`},
		"nothing, with why":  {script(t, "echo 'no instance matches' >&2"), nil, `printed no addresses: "no instance matches"`},
		"fails in silence":   {"false", nil, "exit status 1"},
		"too much":           {script(t, "yes 10.0.0.1"), nil, "more than 65536 bytes"},
		"too many":           {script(t, "for i in $(seq 257); do echo 10.0.0.1; done"), nil, "257 addresses"},
		"much on stderr":     {script(t, "yes oops | head -c 1000000 >&2; echo 10.0.0.1"), []string{"http://10.0.0.1:2380"}, ""},
		"somebody lives on":  {script(t, "sleep 60 & echo 10.0.0.1"), []string{"http://10.0.0.1:2380"}, ""},
		"passwords are kept": {script(t, "if env | grep hidden; then exit 1; fi; echo n1"), []string{"http://n1:2380"}, ""},
		"stdin is empty":     {script(t, "cat; echo n1"), []string{"http://n1:2380"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, err := NewCommand(c.line, "http")
			if err != nil {
				t.Fatal(err)
			}
			h := cmd.Hint(t.Context())
			if h.Source != "-discovery-command" || !strings.Contains(h.Error, c.says) || (h.Error == "") != (c.says == "") || strings.Contains(h.Error, "\x1b") || strings.Contains(h.Error, "s3c") {
				t.Errorf("got error %q, want %q", h.Error, c.says)
			}
			if !slices.Equal(h.PeerURLs, c.urls) {
				t.Errorf("got %q, want %q", h.PeerURLs, c.urls)
			}
		})
	}
}

// A command line that is wrong is shown without the password of a URL in it.
func TestNewCommandRefuses(t *testing.T) {
	_, err := NewCommand("curl http://u:s3c/ret@h | sort", "http")
	if err == nil || !strings.Contains(err.Error(), `"curl http://xxxxx@h | sort": there is no shell`) {
		t.Errorf("got %v", err)
	}
}

// A command that hangs is killed with all that it started.
func TestCommandHangs(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	cmd, err := NewCommand(script(t, "sleep 1000 & echo $! >"+pid+"; wait"), "http")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var child string
	go func() {
		defer cancel()
		child = written(ctx, pid)
	}()
	if h := cmd.Hint(ctx); !strings.Contains(h.Error, "context canceled") {
		t.Errorf("got %+v", h)
	}
	wantEnded(t, child)
}

// The end of a run's time is told in plain words.
func TestCommandOutOfTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	cmd, err := NewCommand("sleep 1000", "http")
	if err != nil {
		t.Fatal(err)
	}
	if h := cmd.Hint(ctx); h.Error != `"sleep": it did not end in time` {
		t.Errorf("got %+v", h)
	}
}

// A command that ends well leaves nothing running either.
func TestCommandLeavesNobody(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	cmd, err := NewCommand(script(t, "sleep 1000 >/dev/null 2>&1 & echo $! >"+pid+"; echo 10.0.0.1"), "http")
	if err != nil {
		t.Fatal(err)
	}
	if h := cmd.Hint(t.Context()); h.Error != "" || len(h.PeerURLs) != 1 {
		t.Errorf("got %+v", h)
	}
	wantEnded(t, written(t.Context(), pid))
}

func wantEnded(t *testing.T, pid string) {
	t.Helper()
	state := fmt.Sprintf("/proc/%s/stat", pid)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		b, err := os.ReadFile(state)
		if err != nil || strings.Contains(string(b), ") Z ") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("what the command started still runs: %s", b)
		}
	}
}

// written waits for a line in a file.
func written(ctx context.Context, file string) string {
	for {
		if b, _ := os.ReadFile(file); strings.HasSuffix(string(b), "\n") {
			return strings.TrimSpace(string(b))
		}
		select {
		case <-ctx.Done():
			return ""
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// What was asked a moment ago is not asked again.
func TestCommandIsSpared(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	cmd, err := NewCommand(script(t, "echo >>"+count+"; echo 10.0.0.1"), "http")
	if err != nil {
		t.Fatal(err)
	}
	var last joiner.Hint
	for range 3 {
		last = cmd.Hint(t.Context())
	}
	if b, _ := os.ReadFile(count); len(b) != 1 || len(last.PeerURLs) != 1 {
		t.Errorf("it ran %d times and said %+v", len(b), last)
	}
}
