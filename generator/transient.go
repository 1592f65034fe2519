package generator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// Beside is a command that runs beside a unit, as a unit of its own that is
// gone with a reboot: what it does can take minutes, and its failure is not
// the unit's.
type Beside struct {
	Unit        string // the unit it runs beside; it ends when that one stops
	Name        string // of the new unit
	Description string
	Command     []string // absolute path first
	Environment []string // NAME=value
	// Again is the exit code after which it is tried again, and which is no
	// failure: of a command that is stopped, too.
	Again int
	// Final are the exit codes after which it is not tried again.
	Final []int
}

// ErrDown says that a unit does not run.
var ErrDown = errors.New("does not run")

// StartBeside starts the command and does not wait for it. One that runs
// already is left alone. Where the unit is down, so is the command (ErrDown): it
// would bring the unit up.
func (m *Manager) StartBeside(ctx context.Context, b Beside) error {
	ctx, cancel := context.WithTimeout(ctx, managerTimeout)
	defer cancel()
	u, err := m.Unit(ctx, b.Unit)
	if err != nil {
		return err
	}
	if !u.Up {
		return fmt.Errorf("%s %w", b.Unit, ErrDown)
	}
	_ = m.conn.ResetFailedUnitContext(ctx, b.Name) // or its name is taken
	_, err = m.conn.StartTransientUnitContext(ctx, b.Name, "replace", b.properties(u), nil)
	var bus godbus.Error
	if errors.As(err, &bus) && bus.Name == "org.freedesktop.systemd1.UnitExists" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", b.Name, err)
	}
	return nil
}

func (b Beside) properties(u Unit) []dbus.Property {
	return []dbus.Property{
		dbus.PropDescription(b.Description),
		dbus.PropType("simple"),
		dbus.PropExecStart(b.Command, false), // true is the "-" that ignores failures, whatever its name says
		dbus.PropBindsTo(b.Unit),
		dbus.PropAfter(b.Unit),
		property("Environment", b.Environment),
		property("EnvironmentFiles", optional(u.EnvironmentFiles)),
		property("NotifyAccess", "main"),
		property("Restart", "on-failure"),
		property("RestartUSec", uint64(RetryPause.Microseconds())),
		property("RestartForceExitStatus", statuses([]int{b.Again})),
		property("SuccessExitStatus", statuses([]int{b.Again})),
		property("RestartPreventExitStatus", statuses(b.Final)),
	}
}

func property(name string, value any) dbus.Property {
	return dbus.Property{Name: name, Value: godbus.MakeVariant(value)}
}

// optionalFile is a file that may be missing.
type optionalFile struct {
	Path   string
	Ignore bool
}

func optional(files []string) []optionalFile {
	list := make([]optionalFile, 0, len(files))
	for _, f := range files {
		list = append(list, optionalFile{f, true})
	}
	return list
}

// exitStatuses is a set of exit codes and signals, as D-Bus carries it.
type exitStatuses struct{ Codes, Signals []int32 }

func statuses(codes []int) exitStatuses {
	s := exitStatuses{Signals: []int32{}}
	for _, c := range codes {
		s.Codes = append(s.Codes, int32(c))
	}
	return s
}

// BesideName is the name of a unit that runs beside another one.
func BesideName(prefix, unit string) string {
	return prefix + "-" + strings.ReplaceAll(strings.TrimSuffix(unit, ".service"), "@", "-") + ".service"
}
