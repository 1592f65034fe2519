package generator

import (
	"maps"
	"strings"
	"testing"
)

// TestConfigLines: a line means here what it means to systemd, or is refused.
func TestConfigLines(t *testing.T) {
	const next = "\nETCD_NEXT=1\n"
	for _, c := range []struct{ line, value, err string }{
		{"ETCD_X=a b # c", "a b # c", ""},
		{" \tETCD_X=a \t\r", "a", ""},
		{`ETCD_X="a"b"`, `ab"`, ""},
		{`ETCD_X=a"b`, `a"b`, ""},
		{`ETCD_X="a" 'b'`, "ab", ""},
		{`ETCD_X="\$a\\b\n"`, `$a\b\n`, ""},
		{`ETCD_X=\\`, `\`, ""},
		{`ETCD_X=a\ `, "a ", ""},
		{"ETCD_X=\u00a0", "\u00a0", ""},
		{"ETCD_X=a\r# b", "a", ""},
		{"ETCD_X=", "", ""},
		{`ETCD_X="a`, "", "on one line"},
		{`ETCD_X="a""`, "", "on one line"},
		{`ETCD_X="a" 'b"`, "", "on one line"},
		{`ETCD_X="a\`, "", "on one line"},
		{`ETCD_X="a\"`, "", "on one line"},
		{`ETCD_X=a\`, "", "on one line"},
		{"ETCD_X=a\\\r", "", "on one line"},
		{"ETCD_X=a\rETCD_Y=b", "", "on one line"},
		{"ETCD_X=a\rb", "", "on one line"},
		{"# a\rETCD_X=b", "", "on one line"},
		{"ETCD_X =a", "", "on one line"},
		{"\vETCD_X=a", "", "on one line"},
		{"\u00a0ETCD_X=a", "", "on one line"},
		{"\ufeffETCD_X=a", "", "on one line"},
		{"export ETCD_X=a", "", "on one line"},
		{"PATH=/x", "", "on one line"},
		{"ETCD_X=a\xff", "", "not UTF-8"},
		{"ETCD_X=\ufdd0", "", "not UTF-8"},
		{"ETCD_X=a\x00", "", "NUL"},
		{"#\x00", "", "NUL"},
		{`# a\`, "", "disagree"},
		{"; a\\\r", "", "disagree"},
	} {
		root := tree(t, map[string]string{etc: c.line + next})
		want := map[string]string{"ETCD_NEXT": "1"}
		if c.err == "" {
			want["ETCD_X"] = c.value
		}
		config, err := ReadConfig(root)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), etc+":1: ") || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q: error %v, want %q", c.line, err, c.err)
		}
		if !maps.Equal(config.Vars, want) {
			t.Errorf("%q: read %q, want %q", c.line, config.Vars, want)
		}
		if err == nil && !maps.Equal(parseEnvFile(c.line+next, true), want) {
			t.Errorf("%q: systemd reads another thing", c.line)
		}
	}
}

func TestConfigComments(t *testing.T) {
	text := "# a\\\\\n\n; b\\c\n \t#d \xff\n \r\n#\rETCD_X\n"
	_, err := ReadConfig(tree(t, map[string]string{etc: text}))
	if err == nil || !strings.Contains(err.Error(), ":6: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("want an error of line 6 alone: %v", err)
	}
}

// FuzzConfigLine: a line that is accepted means the same to every systemd,
// and leaves the next one alone.
func FuzzConfigLine(f *testing.F) {
	for _, seed := range []string{`ETCD_X="a"b"`, "ETCD_X='a' \\b", "# a\\", "ETCD_X=a\r# b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		found, err := readLine(line)
		if err != nil || strings.Contains(line, "\n") {
			return
		}
		want := map[string]string{"ETCD_NEXT_LINE": "1"}
		for _, v := range found {
			want[v.name] = v.value
		}
		for _, joined := range []bool{true, false} {
			if got := parseEnvFile(line+"\nETCD_NEXT_LINE=1\n", joined); !maps.Equal(got, want) {
				t.Errorf("%q is accepted as %q, systemd reads %q", line, want, got)
			}
		}
	})
}
