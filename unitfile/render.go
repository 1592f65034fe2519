package unitfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/coreos/go-systemd/v22/unit"

	"github.com/sttts/elastic-etcd/joiner"
)

// inQuotes escapes for double quotes, as a POSIX shell and an EnvironmentFile=
// of systemd both read them.
var inQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

func renderEnv(settings []joiner.Setting, export bool) []byte {
	var b bytes.Buffer
	for _, s := range settings {
		if export {
			b.WriteString("export ")
		}
		fmt.Fprintf(&b, "%s=\"%s\"\n", variable(s.Flag), inQuotes.Replace(s.Value))
	}
	return b.Bytes()
}

func renderFlags(settings []joiner.Setting) []byte {
	words := make([]string, len(settings))
	for i, s := range settings {
		words[i] = "-" + s.Flag + "=" + s.Value
	}
	return []byte(strings.Join(words, " ") + "\n")
}

func renderJSON(settings []joiner.Setting) ([]byte, error) {
	var b bytes.Buffer
	for i, s := range settings {
		value, err := jsonString(s.Value)
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", s.Flag, err)
		}
		separator := ",\n  "
		if i == 0 {
			separator = "{\n  "
		}
		fmt.Fprintf(&b, "%s%q: %s", separator, s.Flag, value)
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}

func jsonString(s string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// inUnit escapes for a quoted word of a unit file. Specifiers are expanded
// after the quotes are gone, so that only %% protects a percent sign; $ means
// nothing in Environment=.
var inUnit = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`)

// bootstrap are the variables that would make etcd found, or fail, by another
// word than ours: the discovery variables of one generation are fatal beside
// a static cluster, those of the other are ignored, and then etcd founds a
// cluster of its own.
var bootstrap = []string{
	"discovery", "discovery-srv", "discovery-srv-name", "discovery-proxy", "discovery-token", "discovery-endpoints",
	"initial-cluster", "initial-cluster-token", "force-new-cluster",
}

// renderDropIn writes a drop-in with go-systemd's serializer, which escapes
// nothing. UnsetEnvironment= takes away what the unit inherits, also from an
// EnvironmentFile=.
func renderDropIn(settings []joiner.Setting, requires bool) ([]byte, error) {
	var options []*unit.UnitOption
	if requires {
		options = append(options,
			unit.NewUnitOption("Unit", "After", "elastic-etcd.service"),
			unit.NewUnitOption("Unit", "Requires", "elastic-etcd.service"))
	}
	set := map[string]bool{}
	for _, s := range settings {
		set[s.Flag] = true
		options = append(options, unit.NewUnitOption("Service", "Environment", `"`+inUnit.Replace(variable(s.Flag)+"="+s.Value)+`"`))
	}
	var unset []string
	for _, flag := range bootstrap {
		if !set[flag] {
			unset = append(unset, variable(flag))
		}
	}
	options = append(options, unit.NewUnitOption("Service", "UnsetEnvironment", strings.Join(unset, " ")))
	b, err := io.ReadAll(unit.Serialize(options))
	if err != nil {
		return nil, fmt.Errorf("serialize the drop-in: %w", err)
	}
	return b, nil
}
