package generator

import "strings"

// Unit is what matters of a service to an etcd that is started by it.
type Unit struct {
	Name             string
	Loaded           bool              // systemd knows a file of this name
	Up               bool              // it runs, or is being started
	Environment      map[string]string // of Environment= lines
	EnvironmentFiles []string          // in the order they are read
	Command          []string          // of the first ExecStart=, unexpanded; the program by its path
	WorkingDirectory string
	DropIns          []string

	joined bool // read files as systemd before 254 does, see envParser
}

// readUnit reads the properties that D-Bus gives; what is not there, or not
// of the type that systemd documents, is left empty.
func readUnit(name string, props map[string]any) Unit {
	u := Unit{Name: name, Environment: map[string]string{}}
	u.Loaded = props["LoadState"] == "loaded"
	switch props["ActiveState"] {
	case "active", "activating", "reloading", "refreshing":
		u.Up = true
	}
	u.WorkingDirectory, _ = props["WorkingDirectory"].(string)
	u.DropIns, _ = props["DropInPaths"].([]string)
	env, _ := props["Environment"].([]string)
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		u.Environment[name] = value
	}
	files, _ := props["EnvironmentFiles"].([][]any)
	for _, f := range files {
		if path, ok := first(f).(string); ok {
			u.EnvironmentFiles = append(u.EnvironmentFiles, path)
		}
	}
	commands, _ := props["ExecStart"].([][]any)
	if len(commands) > 0 && len(commands[0]) > 1 {
		u.Command = command(commands[0])
	}
	return u
}

// command are the words, of which the first one may be any other name (@).
func command(list []any) []string {
	path, _ := list[0].(string)
	words, _ := list[1].([]string)
	if path == "" || len(words) == 0 {
		return words
	}
	return append([]string{path}, words[1:]...)
}

func first(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}
