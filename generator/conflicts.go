package generator

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/unitfile"
)

// forbidden are flags that make etcd go by another word than ours, whatever a
// drop-in says.
var forbidden = []string{"discovery", "discovery-srv", "discovery-token", "discovery-endpoints", "config-file", "force-new-cluster"}

// Check tells whether a drop-in for the unit can reach its etcd. The error
// says what stands in the way: a flag of etcd's command line beats, or since
// 3.4 fatally meets, the variable of the same name; and with a configuration
// file etcd reads no variable at all.
func (u Unit) Check(c joiner.EtcdConfig, ownFile string) error {
	if err := u.checkComments(ownFile); err != nil {
		return err
	}
	env := u.environment(ownFile)
	arguments := u.arguments(env)
	var flags []string
	for _, name := range append(settingNames(c), forbidden...) {
		if _, found := flag(arguments, name); found {
			flags = append(flags, "--"+name)
		}
	}
	if len(flags) > 0 {
		return fmt.Errorf("%s gives etcd %s on its command line (ExecStart=), where no drop-in reaches: take it out there", u.Name, strings.Join(flags, " "))
	}
	if env["ETCD_CONFIG_FILE"] != "" {
		return errors.New(u.Name + " sets ETCD_CONFIG_FILE, and then etcd reads no variables: take it out there")
	}
	return nil
}

// checkComments refuses files of which one systemd tells etcd another thing
// than the next: a data dir would change with an upgrade.
func (u Unit) checkComments(ownFile string) error {
	old := u
	old.joined = true
	ours, theirs := u.environment(ownFile), old.environment(ownFile)
	if maps.Equal(ofEtcds(ours), ofEtcds(theirs)) && slices.Equal(u.arguments(ours), u.arguments(theirs)) {
		return nil
	}
	return fmt.Errorf("a comment in an EnvironmentFile= of %s (%s) ends with a backslash, and versions of systemd disagree on whether the next line is a comment too: take the backslash out",
		u.Name, strings.Join(u.files(ownFile), ", "))
}

// ofEtcds are the variables that etcd reads.
func ofEtcds(env map[string]string) map[string]string {
	vars := maps.Clone(env)
	maps.DeleteFunc(vars, func(name, _ string) bool { return !strings.HasPrefix(name, "ETCD_") })
	return vars
}

// Beaten lists the variables of a configuration that an EnvironmentFile= of
// the unit would override in a drop-in.
func (u Unit) Beaten(c joiner.EtcdConfig, ownFile string) []string {
	files := u.fromFiles(ownFile)
	var names []string
	for _, s := range c.Settings() {
		if value, set := files[unitfile.Variable(s.Flag)]; set && value != s.Value {
			names = append(names, unitfile.Variable(s.Flag))
		}
	}
	slices.Sort(names)
	return names
}

// Has tells whether systemd has read a drop-in with this configuration. The
// file alone does not tell: a run that wrote it may have failed to reload.
func (u Unit) Has(c joiner.EtcdConfig, dropIn, envFile string) bool {
	if !slices.Contains(u.DropIns, dropIn) {
		return false
	}
	if envFile != "" {
		return slices.Contains(u.EnvironmentFiles, envFile)
	}
	for _, s := range c.Settings() {
		if u.Environment[unitfile.Variable(s.Flag)] != s.Value {
			return false
		}
	}
	return true
}

func settingNames(c joiner.EtcdConfig) []string {
	var names []string
	for _, s := range c.Settings() {
		names = append(names, s.Flag)
	}
	return names
}
