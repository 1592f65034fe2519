package unitfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sttts/elastic-etcd/joiner"
)

// Conflicts tells what in an environment would spoil the configuration for an
// etcd that is started in it, as a shell does that evaluates Env or Flags.
// The error names the variables and how to get rid of them. A drop-in and a
// configuration file are read elsewhere, so nothing spoils them here.
func Conflicts(f Format, environ []string, c joiner.EtcdConfig) error {
	if f != Env && f != Flags {
		return nil
	}
	var bad []string
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if spoils(f, name, value, c) {
			bad = append(bad, name)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	slices.Sort(bad)
	names := strings.Join(slices.Compact(bad), " ")
	return fmt.Errorf("the environment has %s, which etcd would read besides what is printed: unset %s", names, names)
}

func spoils(f Format, name, value string, c joiner.EtcdConfig) bool {
	// Since 3.4 a variable, even an empty or an equal one, beside the flag
	// of the same name is fatal.
	if f == Flags && slices.ContainsFunc(c.Settings(), func(s joiner.Setting) bool { return name == Variable(s.Flag) }) {
		return true
	}
	if value == "" {
		return false // etcd takes it for unset
	}
	switch name {
	case "ETCD_DISCOVERY", "ETCD_DISCOVERY_SRV", "ETCD_DISCOVERY_TOKEN", "ETCD_DISCOVERY_ENDPOINTS":
		return true // fatal, or ignored, by version
	case "ETCD_CONFIG_FILE":
		return true // etcd would read nothing else, and found a cluster of its own
	case "ETCD_DISCOVERY_FALLBACK":
		return value != "exit" // fatal since 3.6
	case "ETCD_PROXY":
		return value != "off" // until 3.5 etcd would be a proxy, not the member
	case "ETCD_FORCE_NEW_CLUSTER":
		forced, err := strconv.ParseBool(value)
		return forced || err != nil
	case "ETCD_DATA_DIR":
		return c.DataDir == "" // etcd would not look where we looked
	case "ETCD_WAL_DIR":
		return c.WALDir == "" // nor here
	}
	return false
}
