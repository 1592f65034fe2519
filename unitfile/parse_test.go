package unitfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// unsetUnlessSet is written out here, so that a variable cannot get lost.
const unsetUnlessSet = "ETCD_DISCOVERY ETCD_DISCOVERY_SRV ETCD_DISCOVERY_SRV_NAME ETCD_DISCOVERY_PROXY ETCD_DISCOVERY_FALLBACK" +
	" ETCD_DISCOVERY_TOKEN ETCD_DISCOVERY_ENDPOINTS ETCD_PROXY" +
	" ETCD_INITIAL_CLUSTER ETCD_INITIAL_CLUSTER_TOKEN ETCD_FORCE_NEW_CLUSTER ETCD_CONFIG_FILE"

func parseDropIn(text string) ([]joiner.Setting, error) {
	body, found := strings.CutPrefix(text, "[Unit]\nAfter=elastic-etcd.service\nRequires=elastic-etcd.service\n\n[Service]\n")
	if !found {
		return nil, fmt.Errorf("no [Unit] and [Service] in %q", text)
	}
	body, unset, found := strings.Cut(body, "UnsetEnvironment=")
	if !found {
		return nil, fmt.Errorf("no UnsetEnvironment= in %q", text)
	}
	var plain strings.Builder
	for _, line := range strings.SplitAfter(body, "\n") {
		if line == "" {
			continue
		}
		quoted, found := strings.CutPrefix(line, `Environment="`)
		name, value, both := strings.Cut(quoted, "=")
		if !found || !both {
			return nil, fmt.Errorf("line %q", line)
		}
		plain.WriteString(name + `="` + value)
	}
	settings, err := parseLines(plain.String(), "%", `\"`)
	if want := unsetBeside(settings); err == nil && unset != want {
		return nil, fmt.Errorf("it unsets %q, not %q", unset, want)
	}
	return settings, err
}

func unsetBeside(settings []joiner.Setting) string {
	names := slices.DeleteFunc(strings.Fields(unsetUnlessSet), func(name string) bool {
		return slices.ContainsFunc(settings, func(s joiner.Setting) bool { return Variable(s.Flag) == name })
	})
	return strings.Join(names, " ") + "\n"
}

func parseFlags(text string) ([]joiner.Setting, error) {
	line, ended := strings.CutSuffix(text, "\n")
	if !ended {
		return nil, errors.New("no newline at the end")
	}
	var settings []joiner.Setting
	for _, word := range strings.Split(line, " ") {
		flag, value, found := strings.Cut(word, "=")
		if !found || !strings.HasPrefix(flag, "-") {
			return nil, fmt.Errorf("word %q", word)
		}
		settings = append(settings, joiner.Setting{Flag: flag[1:], Value: value})
	}
	return settings, nil
}

// parseJSON reads one object of strings, and keeps their order.
func parseJSON(text string) ([]joiner.Setting, error) {
	d := json.NewDecoder(strings.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("it starts with %v: %w", open, err)
	}
	var settings []joiner.Setting
	for d.More() {
		var pair [2]string
		for i := range pair {
			token, err := d.Token()
			s, ok := token.(string)
			if err != nil || !ok {
				return nil, fmt.Errorf("%v is not a string: %w", token, err)
			}
			pair[i] = s
		}
		settings = append(settings, joiner.Setting{Flag: pair[0], Value: pair[1]})
	}
	_, closed := d.Token()
	if _, err := d.Token(); closed != nil || err != io.EOF || !strings.HasSuffix(text, "}\n") {
		return nil, fmt.Errorf("it ends with %v, %w", closed, err)
	}
	return settings, nil
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
		flag := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "ETCD_")), "_", "-")
		if !found || !closed || name != Variable(flag) {
			return nil, fmt.Errorf("line %q", line)
		}
		plain, err := unescape(value, doubled, escaped)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
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

// FuzzRender: what is rendered is read back as it was; what is refused is
// refused whole, by name, in bounded words.
func FuzzRender(f *testing.F) {
	for _, v := range awkward {
		f.Add("n1", v, "http://[::1]:2380")
		f.Add(v, "/data", v)
	}
	parsers := map[Format]func(string) ([]joiner.Setting, error){Env: parseEnv, DropIn: parseDropIn, Flags: parseFlags, JSON: parseJSON}
	f.Fuzz(func(t *testing.T, name, dir, url string) {
		c := joiner.EtcdConfig{Name: name, DataDir: dir, InitialClusterState: joiner.StateNew,
			InitialCluster: []joiner.Peer{{Name: name, URLs: []string{url, url}}}}
		for format, parse := range parsers {
			out, err := Render(format, c, Options{Requires: true})
			if err != nil {
				if out != nil || len(err.Error()) > 1200 || !strings.Contains(err.Error(), " cannot be printed as "+string(format)) {
					t.Fatalf("%s: rendered %q with error %v", format, out, err)
				}
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
	})
}

// FuzzParse: there is one way to write what is read, so a parser that is
// happy has seen exactly what the renderer writes.
func FuzzParse(f *testing.F) {
	for _, c := range []joiner.EtcdConfig{founding, joining, resuming} {
		for _, format := range []Format{Env, DropIn} {
			out, err := Render(format, c, Options{Requires: true})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(out))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if settings, err := parseEnv(text); err == nil && string(renderEnv(settings, false)) != text {
			t.Fatalf("env: %q is read as %q", text, settings)
		}
		settings, err := parseDropIn(text)
		if err != nil {
			return
		}
		if out, err := renderDropIn(settings, Options{Requires: true}); err != nil || string(out) != text {
			t.Fatalf("drop-in: %q is read as %q", text, settings)
		}
	})
}
