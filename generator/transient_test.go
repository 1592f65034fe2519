package generator

import (
	"maps"
	"slices"
	"testing"

	"github.com/coreos/go-systemd/v22/dbus"
)

// TestBesideIsTriedAgain: "not now" is no failure and is tried again, other
// codes are failures, and nothing has systemd ignore them.
func TestBesideIsTriedAgain(t *testing.T) {
	got := map[string]string{}
	for _, p := range (Beside{Unit: "etcd.service", Command: []string{"/bin/x", "y"}, Again: 75, Final: []int{6, 78}}).properties(Unit{}) {
		got[p.Name] = p.Value.String()
	}
	want := map[string]string{
		"ExecStart":                dbus.PropExecStart([]string{"/bin/x", "y"}, false).Value.String(),
		"Restart":                  `"on-failure"`,
		"RestartForceExitStatus":   property("", statuses([]int{75})).Value.String(),
		"SuccessExitStatus":        property("", statuses([]int{75})).Value.String(),
		"RestartPreventExitStatus": property("", statuses([]int{6, 78})).Value.String(),
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s is %s, want %s", name, got[name], want[name])
		}
	}
}
