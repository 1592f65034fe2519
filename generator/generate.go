package generator

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Host is the machine a generator runs on, re-rootable for tests.
type Host struct {
	Root    string   // "" = /
	Binary  string   // of elastic-etcd, as units call it
	Environ []string // of this process, NAME=value each
}

// Generate is the systemd.generator(7): from the configuration of the host it
// writes the wiring of etcd's unit into the first of the output directories.
// It reads and writes files and nothing else. Without a configuration, in the
// initrd, or switched off on the kernel command line, it writes nothing.
//
// A bad configuration is an error, and wires a refusal: etcd must not start
// by its defaults.
func Generate(h Host, normal string) error {
	if slices.Contains(h.Environ, "SYSTEMD_IN_INITRD=1") || exists(filepath.Join(h.Root, "/etc/initrd-release")) {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(h.Root, "/proc/cmdline"))
	if err != nil {
		return fmt.Errorf("read the kernel command line: %w", err)
	}
	cmdline, lineErr := ParseCmdline(string(text))
	if cmdline.Off {
		return nil
	}
	config, fileErr := ReadConfig(h.Root)
	if !config.Configured() && len(cmdline.Flags) == 0 && lineErr == nil {
		return nil
	}
	unit := unitOf(config)
	bad := errors.Join(lineErr, fileErr, CheckUnit(unit))
	return errors.Join(bad, h.wire(normal, unit, config, cmdline, bad))
}

func unitOf(c Config) string {
	if unit := c.Vars["ELASTIC_ETCD_UNIT"]; unit != "" {
		return unit
	}
	return "etcd.service"
}

func (h Host) wire(normal, unit string, c Config, k Cmdline, bad error) error {
	files := c.Files
	if len(k.Flags) > 0 || len(files) == 0 {
		files = append(slices.Clone(files), "the kernel command line")
	}
	source := strings.Join(files, ", ")
	var content []byte
	var err error
	if bad != nil {
		if CheckUnit(unit) != nil {
			unit = "etcd.service"
		}
		content, err = refusal(h.Binary, source, oneLine(bad))
	} else {
		content, err = Wiring{Binary: h.Binary, Unit: unit, Files: c.Files, Flags: k.Flags, Source: source}.render()
	}
	if err != nil {
		return err
	}
	_, err = Write(DropInPath(normal, unit, WiringName), content, 0o644)
	return err
}

// oneLine is an error for a place that has one line.
func oneLine(err error) string {
	return printable(strings.ReplaceAll(err.Error(), "\n", "; "))
}
