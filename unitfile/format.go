// Package unitfile renders what etcd is told: for a shell, a systemd drop-in,
// a command line or a configuration file. It is pure. Every value comes back
// byte for byte from the reader the format is made for; a value that would
// not is an error that names it, and nothing is rendered.
package unitfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sttts/elastic-etcd/joiner"
)

// Format is an output format.
type Format string

// The formats.
const (
	Env    Format = "env"    // NAME="value" lines, for a POSIX shell and for EnvironmentFile=
	DropIn Format = "dropin" // a systemd drop-in for etcd's unit
	Flags  Format = "flags"  // etcd's flags on one line, for etcd $(...)
	JSON   Format = "json"   // one object, with the keys of etcd's --config-file
)

// Formats are all of them.
func Formats() []Format { return []Format{Env, DropIn, Flags, JSON} }

// ParseFormat reads the name of a format.
func ParseFormat(s string) (Format, error) {
	if slices.Contains(Formats(), Format(s)) {
		return Format(s), nil
	}
	names := make([]string, 0, 4)
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return "", fmt.Errorf("format %q is not one of %s", s, strings.Join(names, ", "))
}

// Options are the choices within a format.
type Options struct {
	Export   bool // Env: put export before each line
	Requires bool // DropIn: order after and require elastic-etcd.service
	// EnvironmentFile, DropIn: the path of a file that has the variables,
	// in place of Environment= lines. It is read last, and so beats those
	// that the unit has.
	EnvironmentFile string
}

// Render gives the configuration in a format, the same bytes for the same
// input. The error names the first value that the format cannot carry.
func Render(f Format, c joiner.EtcdConfig, o Options) ([]byte, error) {
	settings := c.Settings()
	for _, s := range settings {
		if err := carries(f, s); err != nil {
			return nil, err
		}
	}
	switch f {
	case Env:
		return renderEnv(settings, o.Export), nil
	case DropIn:
		return renderDropIn(settings, o)
	case Flags:
		return renderFlags(settings), nil
	case JSON:
		return renderJSON(settings)
	}
	return nil, fmt.Errorf("format %q is not known", f)
}

// Variable is the name of a setting as etcd reads it from its environment.
func Variable(flag string) string {
	return "ETCD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
