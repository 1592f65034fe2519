package generator

import (
	"fmt"
	"regexp"
	"strings"
)

// Cmdline is what the kernel command line says: elastic_etcd=no (or 0, off,
// false) keeps the generator quiet, elastic_etcd.FLAG=VALUE is a flag of
// elastic-etcd that beats the files.
type Cmdline struct {
	Off   bool
	Flags []string // --flag=value
}

var flagName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// ParseCmdline reads the text of /proc/cmdline.
func ParseCmdline(text string) (Cmdline, error) {
	var c Cmdline
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		name = strings.ReplaceAll(name, "-", "_")
		flag, isFlag := strings.CutPrefix(name, "elastic_etcd.")
		switch {
		case name == "elastic_etcd":
			c.Off = off(value)
		case isFlag:
			flag = strings.ReplaceAll(flag, "_", "-")
			if !flagName.MatchString(flag) || value == "" {
				return c, fmt.Errorf("kernel command line: %q is not elastic_etcd.FLAG=VALUE", shorten(word))
			}
			c.Flags = append(c.Flags, "--"+flag+"="+value)
		}
	}
	return c, nil
}

func off(value string) bool {
	switch strings.ToLower(value) {
	case "0", "no", "n", "off", "f", "false":
		return true
	}
	return false
}
