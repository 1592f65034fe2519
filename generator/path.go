package generator

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// DropInName is the file name of the drop-in that carries a decision. It
// sorts behind what distributions and admins number.
const DropInName = "99-elastic-etcd.conf"

// RuntimeDir is where units of this boot live. What is written there is gone
// after a reboot, as a decision should be.
const RuntimeDir = "/run/systemd/system"

// unitName is what systemd allows in the name of a service, an instance of a
// template included (systemd.unit(5)).
var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]+\.service$`)

// CheckUnit tells whether a name can be that of a service unit.
func CheckUnit(unit string) error {
	if !unitName.MatchString(unit) || len(unit) > 255 || strings.HasPrefix(unit, ".") {
		return fmt.Errorf("unit %q is not the name of a service such as etcd.service", unit)
	}
	return nil
}

// DropInPath is the file of a unit's drop-in below a directory of units.
func DropInPath(dir, unit, name string) string {
	return filepath.Join(dir, unit+".d", name)
}
