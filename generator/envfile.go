package generator

import (
	"maps"
	"path"
	"path/filepath"
	"strings"

	"github.com/sttts/elastic-etcd/smallfile"
	"github.com/sttts/elastic-etcd/unitfile"
)

// environment is what the unit's process gets, as far as files tell: an
// EnvironmentFile= always beats Environment=, and a later file an earlier one
// (systemd.exec(5)). A pattern is expanded; what cannot be read is left out.
func (u Unit) environment(except string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, u.Environment)
	for _, file := range u.files(except) {
		maps.Copy(all, readEnvFile(file, u.joined))
	}
	return all
}

// fromFiles is the part of the environment that a drop-in cannot beat.
func (u Unit) fromFiles(except string) map[string]string {
	files := u
	files.Environment = nil
	return files.environment(except)
}

func (u Unit) files(except string) []string {
	var files []string
	for _, pattern := range u.EnvironmentFiles {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, m := range matches {
			if m != except {
				files = append(files, m)
			}
		}
	}
	return files
}

func readEnvFile(path string, joined bool) map[string]string {
	b, err := smallfile.Read(path)
	if err != nil {
		return nil
	}
	return parseEnvFile(string(b), joined)
}

// arguments are the words of the unit's command, with the variables that
// stand as a whole word expanded, as systemd does it.
func (u Unit) arguments(env map[string]string) []string {
	var words []string
	for _, word := range u.Command {
		name, isVariable := strings.CutPrefix(word, "$")
		switch {
		case isVariable && !strings.HasPrefix(name, "{"):
			words = append(words, strings.Fields(env[name])...)
		case isVariable:
			words = append(words, env[strings.Trim(name, "{}")])
		default:
			words = append(words, word)
		}
	}
	return ofEtcd(words)
}

// ofEtcd leaves out what podman, docker and the like are told before the image
// of etcd: they have flags of the same names, --name above all.
func ofEtcd(words []string) []string {
	for i, word := range words {
		name, _, _ := strings.Cut(path.Base(word), ":") // without the tag
		if i > 0 && strings.Contains(word, "/") && word[0] != '/' && word[0] != '-' && name == "etcd" {
			return words[i:]
		}
	}
	return words
}

// flag finds the value of an etcd flag on the unit's command line.
func flag(arguments []string, name string) (value string, found bool) {
	for i, word := range arguments {
		bare := strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-")
		if bare == word {
			continue
		}
		key, value, assigned := strings.Cut(bare, "=")
		switch {
		case key != name:
		case assigned:
			return value, true
		case i+1 < len(arguments):
			return arguments[i+1], true
		default:
			return "", true
		}
	}
	return "", false
}

// Setting is what the unit tells etcd already for one of its flags, by the
// command line or by the environment; "" = nothing. A file of ours is not
// counted.
func (u Unit) Setting(name, ownFile string) string {
	env := u.environment(ownFile)
	if value, found := flag(u.arguments(env), name); found {
		return value
	}
	return env[unitfile.Variable(name)]
}

// Path makes a path of the unit's absolute, as its process would see it.
func (u Unit) Path(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	dir := u.WorkingDirectory
	if dir == "" {
		dir = "/"
	}
	return filepath.Join(strings.TrimPrefix(dir, "-"), path)
}
