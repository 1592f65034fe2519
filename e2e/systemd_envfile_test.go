package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/machine"
)

// envCase is a file of the generator's own table, and what is in it.
type envCase struct {
	Name      string
	File      string
	Base64    []byte // a file that is not UTF-8
	Want      map[string]string
	Before254 map[string]string // where it differs there
}

// probeUnit shows what systemd takes from a file. It is a failure of the unit
// where systemd refuses a file, but for the "-".
const probeUnit = `[Service]
Type=oneshot
EnvironmentFile=-/probe/%i.env
ExecStart=/bin/cat /proc/self/environ
StandardOutput=file:/probe/%i.out
`

// TestSystemdEnvFile: the generator's table of awkward files says what every
// systemd says.
func TestSystemdEnvFile(t *testing.T) {
	cases := envCases(t)
	onEveryRoot(t, func(f *fleet) {
		m := f.Machine()
		m.Write("/etc/systemd/system/probe@.service", probeUnit, 0o644)
		names := []string{"probe@no-such-file.service"}
		for _, c := range cases {
			m.Write("/probe/"+c.Name+".env", c.File+string(c.Base64), 0o644)
			names = append(names, "probe@"+c.Name+".service")
		}
		m.Boot()
		m.Run(append([]string{"systemctl", "start"}, names...)...)
		f.wantProbed(m, cases)
	})
}

func envCases(t *testing.T) []envCase {
	t.Helper()
	b, err := os.ReadFile("../generator/testdata/envfile.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []envCase
	if err := json.Unmarshal(b, &cases); err != nil || len(cases) == 0 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	return cases
}

func (f *fleet) wantProbed(m *machine.Machine, cases []envCase) {
	f.Helper()
	version := systemdVersion(f.T, m)
	always := probed(m, "no-such-file")
	for _, c := range cases {
		want := c.Want
		if version < 254 && c.Before254 != nil {
			want = c.Before254
		}
		got := probed(m, c.Name)
		maps.DeleteFunc(got, func(name, _ string) bool { _, there := always[name]; return there })
		if !maps.Equal(got, want) {
			f.Errorf("%s: systemd %d reads %q, want %q", c.Name, version, got, want)
		}
	}
}

// probed is the environment that a probe has seen.
func probed(m *machine.Machine, name string) map[string]string {
	seen := map[string]string{}
	for _, v := range strings.Split(m.Run("cat", "/probe/"+name+".out"), "\x00") {
		if name, value, found := strings.Cut(v, "="); found {
			seen[name] = value
		}
	}
	return seen
}

func systemdVersion(t *testing.T, m *machine.Machine) int {
	t.Helper()
	var word string
	_, err := fmt.Sscanf(m.Run("systemctl", "--version"), "systemd %s", &word)
	version, atoiErr := strconv.Atoi(word)
	if err != nil || atoiErr != nil {
		t.Fatalf("the version of systemd: %v, %v", err, atoiErr)
	}
	return version
}
