package unitfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

// The parsers here are deliberately strict and know only what the renderers
// write: whatever else stands in the output is an error.

func parseEnv(text string) ([]joiner.Setting, error) {
	return parseLines(text, "", `\"$`+"`")
}

func parseDropIn(text string) ([]joiner.Setting, error) {
	body, found := strings.CutPrefix(text, "[Unit]\nAfter=elastic-etcd.service\nRequires=elastic-etcd.service\n\n[Service]\n")
	if !found {
		return nil, fmt.Errorf("no [Unit] and [Service] in %q", text)
	}
	lines := strings.SplitAfter(body, "\n")
	if len(lines) < 2 || !strings.HasPrefix(lines[len(lines)-2], "UnsetEnvironment=ETCD_") {
		return nil, fmt.Errorf("no UnsetEnvironment= at the end of %q", text)
	}
	var plain strings.Builder
	for _, line := range lines[:len(lines)-2] {
		quoted, found := strings.CutPrefix(line, `Environment="`)
		name, value, both := strings.Cut(quoted, "=")
		if !found || !both {
			return nil, fmt.Errorf("line %q", line)
		}
		plain.WriteString(name + `="` + value)
	}
	return parseLines(plain.String(), "%", `\"`)
}

// parseLines reads NAME="value" lines in which these characters are doubled
// and those are behind a backslash, and nothing else is special.
func parseLines(text, doubled, escaped string) ([]joiner.Setting, error) {
	var settings []joiner.Setting
	for _, line := range strings.SplitAfter(text, "\n") {
		if line == "" {
			continue
		}
		name, rest, found := strings.Cut(line, `="`)
		value, closed := strings.CutSuffix(rest, "\"\n")
		if !found || !closed || !strings.HasPrefix(name, "ETCD_") {
			return nil, fmt.Errorf("line %q", line)
		}
		plain, err := unescape(value, doubled, escaped)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		flag := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "ETCD_")), "_", "-")
		settings = append(settings, joiner.Setting{Flag: flag, Value: plain})
	}
	return settings, nil
}

func unescape(s, doubled, escaped string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(escaped, s[i+1]) >= 0,
			strings.IndexByte(doubled, c) >= 0 && i+1 < len(s) && s[i+1] == c:
			i++
		case strings.IndexByte(doubled+escaped, c) >= 0:
			return "", fmt.Errorf("bare %q", c)
		}
		b.WriteByte(s[i])
	}
	return b.String(), nil
}

func FuzzRender(f *testing.F) {
	for _, v := range awkward {
		f.Add("n1", v)
		f.Add(v, "/data")
	}
	f.Fuzz(func(t *testing.T, name, dir string) {
		c := joiner.EtcdConfig{Name: name, DataDir: dir, InitialClusterState: joiner.StateNew}
		for format, parse := range map[Format]func(string) ([]joiner.Setting, error){Env: parseEnv, DropIn: parseDropIn} {
			out, err := Render(format, c, Options{Requires: true})
			if err != nil {
				continue
			}
			got, err := parse(string(out))
			if err != nil {
				t.Fatalf("%s of %q: %v", format, c, err)
			}
			if !slices.Equal(got, c.Settings()) {
				t.Fatalf("%s: got %q, want %q", format, got, c.Settings())
			}
		}
		if out, err := Render(Flags, c, Options{}); err == nil && strings.Count(string(out), " ")+1 != len(c.Settings()) {
			t.Fatalf("flags split into other words: %q", out)
		}
	})
}
