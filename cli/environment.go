package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

// environment is that of a run, NAME=value each; of two of a name the first
// counts, as for os.Getenv.
type environment []string

func (e environment) lookup(name string) (value string, found bool) {
	for _, kv := range e {
		if value, found := strings.CutPrefix(kv, name+"="); found {
			return value, true
		}
	}
	return "", false
}

// variable is a cli.ValueSource: one variable of an environment.
type variable struct {
	name string
	of   environment
}

// Lookup gives the value.
func (v variable) Lookup() (string, bool) { return v.of.lookup(v.name) }

// IsFromEnv has help pages show the name.
func (v variable) IsFromEnv() bool { return true }

// Key is the name.
func (v variable) Key() string { return v.name }

// String is for messages about a bad value.
func (v variable) String() string { return fmt.Sprintf("environment variable %q", v.name) }

// GoString leaves out the other variables, a password may be one.
func (v variable) GoString() string { return v.String() }

// env is the variable of a flag: ELASTIC_ETCD_ and the name in capitals.
func (a *app) env(flag string) cli.ValueSourceChain {
	name := "ELASTIC_ETCD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	return cli.NewValueSourceChain(variable{name, a.environ})
}
