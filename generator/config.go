package generator

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/sttts/elastic-etcd/smallfile"
)

// configDirs hold the host's configuration, the most important last.
var configDirs = [...]string{"usr/lib/elastic-etcd", "run/elastic-etcd", "etc/elastic-etcd"}

// ConfigName is the main configuration file in each of the directories; of
// several only the most important counts. ConfigName.d/*.conf beside it are
// read after it, merged over the directories by their names.
const ConfigName = "elastic-etcd.conf"

// Config is the configuration of a host, as the generator needs it: systemd
// reads the files itself, as EnvironmentFile=.
type Config struct {
	Files []string          // in the order in which systemd is to read them
	Vars  map[string]string // what they set, the last one wins
}

// Configured tells whether there is anything to wire.
func (c Config) Configured() bool { return len(c.Files) > 0 }

// ReadConfig reads the configuration below a root directory. The error names
// every bad line, by file and number; files that are well are in the Config
// even then.
func ReadConfig(root string) (Config, error) {
	c := Config{Vars: map[string]string{}}
	var errs []error
	for _, file := range configFiles(root) {
		vars, err := readConfigFile(filepath.Join("/", root, file))
		errs = append(errs, err)
		c.Files = append(c.Files, "/"+file)
		maps.Copy(c.Vars, vars)
	}
	return c, errors.Join(errs...)
}

// configFiles lists the files that count: the main file, then the pieces by
// name. A file that is a link to /dev/null masks those of its name that are
// less important.
func configFiles(root string) []string {
	var files []string
	pieces := map[string]string{}
	for _, dir := range configDirs {
		main := filepath.Join(dir, ConfigName)
		if exists(filepath.Join(root, main)) {
			files = []string{main}
		}
		names, _ := filepath.Glob(filepath.Join(root, dir, ConfigName+".d", "*.conf"))
		for _, name := range names {
			pieces[filepath.Base(name)] = filepath.Join(dir, ConfigName+".d", filepath.Base(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pieces)) {
		files = append(files, pieces[name])
	}
	return withoutMasked(root, files)
}

func withoutMasked(root string, files []string) []string {
	var kept []string
	for _, f := range files {
		if target, err := os.Readlink(filepath.Join(root, f)); err == nil && target == os.DevNull {
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// assigned is how a line starts that systemd, a shell and this reader
// understand alike.
var assigned = regexp.MustCompile(`^(ELASTIC_ETCD_[A-Z0-9_]+|ETCD_[A-Z0-9_]+)=`)

// maxLine bounds a line of the configuration, in bytes.
const maxLine = 64 << 10

// readConfigFile reads NAME=value lines. Nothing but our variables and those
// of etcd may be set: a misspelled name would be silence otherwise.
func readConfigFile(path string) (map[string]string, error) {
	content, err := smallfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	var errs []error
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		found, err := readLine(lines.Text())
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", path, n, err))
			continue
		}
		for _, v := range found {
			vars[v.name] = v.value
		}
	}
	if err := lines.Err(); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", path, err))
	}
	return vars, errors.Join(errs...)
}

// readLine reads the one assignment of a line, or none. The line must be whole
// in the eyes of systemd, or the next one would not be what it seems.
func readLine(line string) ([]variable, error) {
	if strings.Contains(line, "\x00") {
		return nil, fmt.Errorf("%q has a NUL, and systemd refuses the whole file", shorten(line))
	}
	line = strings.TrimRight(line, "\r")
	var p envParser
	p.read(line)
	switch p.state {
	case inCommentEscape:
		return nil, fmt.Errorf("%q ends with a backslash, and versions of systemd disagree on whether the next line is a comment too", shorten(line))
	case beforeValue, inValue:
		p.end()
	case beforeName, inComment:
	default:
		return nil, notAssignment(line)
	}
	return p.found, checkLine(line, p.found)
}

// checkLine refuses names of others, and several assignments: systemd takes a
// carriage return for the end of a line.
func checkLine(line string, found []variable) error {
	line = strings.TrimLeft(line, " \t")
	switch isAssignment := assigned.MatchString(line); {
	case len(found) == 0 && (line == "" || line[0] == '#' || line[0] == ';'):
		return nil
	case len(found) != 1 || !isAssignment:
		return notAssignment(line)
	case !isText(found[0].value):
		return fmt.Errorf("%q is not UTF-8, and systemd refuses the whole file", shorten(line))
	}
	return nil
}

func notAssignment(line string) error {
	return fmt.Errorf("%q is not ELASTIC_ETCD_NAME=value or ETCD_NAME=value on one line", shorten(line))
}

// secret is where a line may begin to be one: -user takes a password too.
var secret = regexp.MustCompile(`(?i)(password|_user).*`)

// shorten is a line for the log.
func shorten(s string) string {
	const most = 80
	s = secret.ReplaceAllString(s, "$1...")
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
