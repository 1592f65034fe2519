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
		fmt.Fprintf(&b, "%s=\"%s\"\n", Variable(s.Flag), inQuotes.Replace(s.Value))
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

// bootstrap are the flags whose variables would make etcd start by another
// word than ours. What an inherited one does to etcd 2.3 to 3.7:
//   - discovery, discovery-srv, discovery-token, discovery-endpoints: fatal
//     beside a static cluster, or, on an etcd of the other generation,
//     ignored. discovery-srv-name and discovery-proxy only go with them.
//   - discovery-fallback: "proxy" is fatal from 3.6 on, even without discovery.
//   - proxy: up to 3.5 a fresh etcd becomes a proxy, and the member that was
//     added for it never starts.
//   - initial-cluster, initial-cluster-token: nothing on a resume, but for a
//     list that does not parse, which is fatal for 2.3.
//   - force-new-cluster: throws all other members out of the data.
//   - config-file: etcd 3 reads nothing else, and founds a cluster
//     of its own in silence. Without the file it also lacks what the file
//     says of TLS and listeners: that shows, since nobody can reach it.
//
// data-dir and wal-dir are not among them: a WAL where the unit has it, and we
// did not look, is a member's data, and etcd must go on finding it.
var bootstrap = []string{
	"discovery", "discovery-srv", "discovery-srv-name", "discovery-proxy", "discovery-fallback",
	"discovery-token", "discovery-endpoints", "proxy",
	"initial-cluster", "initial-cluster-token", "force-new-cluster", "config-file",
}

// renderDropIn writes a drop-in with go-systemd's serializer, which escapes
// nothing. UnsetEnvironment= takes away what the unit inherits, also from an
// EnvironmentFile=.
func renderDropIn(settings []joiner.Setting, o Options) ([]byte, error) {
	var options []*unit.UnitOption
	if o.Requires {
		options = append(options,
			unit.NewUnitOption("Unit", "After", "elastic-etcd.service"),
			unit.NewUnitOption("Unit", "Requires", "elastic-etcd.service"))
	}
	set := map[string]bool{}
	for _, s := range settings {
		set[s.Flag] = true
		if o.EnvironmentFile == "" {
			options = append(options, unit.NewUnitOption("Service", "Environment", `"`+inUnit.Replace(Variable(s.Flag)+"="+s.Value)+`"`))
		}
	}
	if o.EnvironmentFile != "" {
		path, err := unitPath(o.EnvironmentFile)
		if err != nil {
			return nil, err
		}
		options = append(options, unit.NewUnitOption("Service", "EnvironmentFile", path))
	}
	var unset []string
	for _, flag := range bootstrap {
		if !set[flag] {
			unset = append(unset, Variable(flag))
		}
	}
	options = append(options, unit.NewUnitOption("Service", "UnsetEnvironment", strings.Join(unset, " ")))
	b, err := io.ReadAll(unit.Serialize(options))
	if err != nil {
		return nil, fmt.Errorf("serialize the drop-in: %w", err)
	}
	return b, nil
}

// unitPath escapes a path for a unit file, where it is not quoted and where a
// wildcard would mean other files.
func unitPath(path string) (string, error) {
	why := whyNot(path)
	if why == "" && (!strings.HasPrefix(path, "/") || strings.ContainsAny(path, " *?[\\")) {
		why = "an absolute path without spaces, wildcards and backslashes is needed"
	}
	if why != "" {
		return "", fmt.Errorf("the path %s cannot be an EnvironmentFile=: %s", short(path), why)
	}
	return strings.ReplaceAll(path, "%", "%%"), nil
}
