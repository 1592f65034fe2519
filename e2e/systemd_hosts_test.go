package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/machine"
)

// put writes a file on a machine that runs.
func put(m *machine.Machine, path, content string) {
	m.Run("sh", "-ec", `mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"`, "sh", path, content)
}

// environ is the environment of the running etcd.
func environ(m *machine.Machine, unit string) []string {
	return strings.Split(m.Run("sh", "-ec", `cat /proc/$(systemctl show -P MainPID "$1")/environ`, "sh", unit), "\x00")
}

func (f *fleet) wantEnviron(m *machine.Machine, unit string, want ...string) {
	f.Helper()
	got := environ(m, unit)
	for _, w := range want {
		if !slices.Contains(got, w) {
			f.Fatalf("%q is not in the environment of %s: %q", w, unit, got)
		}
	}
}

// TestSystemdConfiguration takes one machine through what its admin may write:
// nothing, a mistake, its correction, values that three readers must take for
// the same (systemd, the generator, apply), and the kernel command line.
func TestSystemdConfiguration(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		m := f.install()
		m.Boot()
		f.wantNoWiring(m)
		f.mistakeIsMended(m)
		f.configuredValuesArrive(m)
		f.kernelBeatsFile(m)
	})
}

func (f *fleet) wantNoWiring(m *machine.Machine) {
	f.Helper()
	if dropIns := show(m, "DropInPaths"); dropIns != "" {
		f.Fatalf("the unit has the drop-ins %s", dropIns)
	}
}

const configFile = "/etc/elastic-etcd/elastic-etcd.conf"

// mistakeIsMended: once the file is right, a reload and a start are enough.
func (f *fleet) mistakeIsMended(m *machine.Machine) {
	f.Helper()
	put(m, configFile, "ELASTIC_ETCD_NAME: typo\n")
	m.Run("systemctl", "daemon-reload")
	m.Run("systemctl", "start", "etcd.service")
	// Nothing refers to the unit, so systemd forgets how it ended; the journal
	// does not.
	m.WaitFor("the journal to name file and line", "etcd.service", func() error {
		_, err := m.Try("sh", "-c", "journalctl --no-pager -u etcd.service | grep -q "+configFile+":1")
		return err
	})
	if pid := show(m, "MainPID"); pid != "0" {
		f.Fatalf("etcd runs as %s", pid)
	}
	put(m, configFile, "ELASTIC_ETCD_DISCOVERY="+f.token(1)+"\nELASTIC_ETCD_DEAD_AFTER=1s\n")
	m.Run("systemctl", "daemon-reload")
	f.start(m)
	f.wantEnviron(m, "etcd.service", "ETCD_NAME="+m.Name, "ETCD_INITIAL_CLUSTER_STATE=new")
}

// configuredValuesArrive byte for byte, through an EnvironmentFile= that apply
// reads as well to learn the data dir.
func (f *fleet) configuredValuesArrive(m *machine.Machine) {
	f.Helper()
	m.Run("systemctl", "stop", "etcd.service")
	put(m, configFile, "ELASTIC_ETCD_DISCOVERY="+f.token(1)+"\nELASTIC_ETCD_DEAD_AFTER=1s\n"+
		`ELASTIC_ETCD_NAME="50%h \"x\" \\n \$HOME 'ö' `+"\\`id\\`\"\n"+
		`ETCD_DATA_DIR="/var/lib/etcd/%n \"d\" \$x \\t"`+"\n")
	m.Run("systemctl", "daemon-reload")
	f.start(m)
	f.wantEnviron(m, "etcd.service", `ETCD_NAME=50%h "x" \n $HOME 'ö' `+"`id`", `ETCD_DATA_DIR=/var/lib/etcd/%n "d" $x \t`)
	m.Run("test", "-d", `/var/lib/etcd/%n "d" $x \t/member/wal`)
}

// kernelBeatsFile gives the machine a command line of its own: what is the
// kernel's is the host's.
func (f *fleet) kernelBeatsFile(m *machine.Machine) {
	f.Helper()
	m.Run("systemctl", "stop", "etcd.service")
	put(m, "/run/cmdline", "ro elastic_etcd.name=kernel elastic-etcd.data_dir=/var/lib/etcd/kernel elastic_etcd.discovery="+f.token(1)+"\n")
	m.Shell("mount --bind /run/cmdline /proc/cmdline && systemctl daemon-reload")
	// etcd's unit says ETCD_DATA_DIR in a file: the flag is to win.
	f.start(m)
	f.wantEnviron(m, "etcd.service", "ETCD_NAME=kernel", "ETCD_DATA_DIR=/var/lib/etcd/kernel")
	m.Shell("systemctl stop etcd; rm -r /run/systemd/system/etcd.service.d; echo elastic_etcd=no >/run/cmdline; systemctl daemon-reload")
	f.wantNoWiring(m)
}

// TestSystemdNoStorm: what may be tried again is, every five seconds, and what
// a human must mend is not, also where the unit wants to be restarted always
// and at once.
func TestSystemdNoStorm(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		hasty := strings.Replace(etcdUnit, "Restart=on-abnormal", "Restart=always\nRestartSec=10ms", 1)
		// Nothing answers there, and this host has no data.
		nobody := []string{"ELASTIC_ETCD_DISCOVERY=", "ELASTIC_ETCD_ENDPOINTS=http://127.0.0.1:1", "ELASTIC_ETCD_TIMEOUT=100ms", "ELASTIC_ETCD_DEAD_AFTER=50ms"}
		final, retried := f.host("", nobody...), f.host("", nobody...)
		final.Write("/etc/systemd/system/etcd.service", hasty, 0o644)
		final.Write("/etc/default/etcd", "DAEMON_ARGS=--name=fixed\n", 0o644)
		retried.Write("/etc/systemd/system/etcd.service", hasty, 0o644)
		final.Boot()
		final.WaitFor("etcd to be refused", "etcd.service", func() error { return refused(final) })
		retried.Boot()
		f.triesAreSpaced(retried, 3)
		// Meanwhile the other has had time for a storm.
		if state, restarts := show(final, "ActiveState"), show(final, "NRestarts"); state != "inactive" || restarts != "0" {
			f.Fatalf("a unit that needs a human is %s after %s restarts", state, restarts)
		}
		f.says(final, "--name")
	})
}

// triesAreSpaced waits for some decisions, and looks at when they were made.
func (f *fleet) triesAreSpaced(m *machine.Machine, n int) {
	f.Helper()
	var times []time.Time
	m.WaitFor(fmt.Sprintf("%d tries", n), "etcd.service", func() error {
		if times = decisions(m, "75"); len(times) < n {
			return fmt.Errorf("there were %d", len(times))
		}
		return nil
	})
	// RestartSec= counts from the end of the one to the start of the next.
	for i, at := range times[1:] {
		if pause := at.Sub(times[i]); pause < 4900*time.Millisecond {
			f.Fatalf("a try came %s after the one before", pause)
		}
	}
}

// decisions are the times of those that the journal records with this code.
func decisions(m *machine.Machine, exit string) []time.Time {
	out, _ := m.Try("journalctl", "--no-pager", "-o", "json", "MESSAGE_ID=5f2a6c31d0b94e0c8a3c7e914d2f6b08", "ELASTIC_ETCD_EXIT="+exit)
	var times []time.Time
	for _, line := range strings.Split(out, "\n") {
		var record struct {
			At string `json:"_SOURCE_REALTIME_TIMESTAMP"` // when it was sent
		}
		if json.Unmarshal([]byte(line), &record) != nil {
			continue // journalctl's own words
		}
		if at, err := strconv.ParseInt(record.At, 10, 64); err == nil {
			times = append(times, time.UnixMicro(at))
		}
	}
	return times
}

// TestSystemdDisturbed: others reload systemd, and an upgrade of it re-executes
// it, while a founder waits; its decision arrives all the same.
func TestSystemdDisturbed(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		token := f.token(2)
		first, second := f.host(token, "ELASTIC_ETCD_TIMEOUT=80s"), f.host(token)
		first.Boot()
		f.says(first, "1 of 2 founders registered")
		first.Run("systemctl", "daemon-reload")
		first.Run("systemctl", "daemon-reexec")
		first.Run("systemctl", "daemon-reload")
		second.Boot()
		waitActive(second)
		waitActive(first)
		f.wantEnviron(first, "etcd.service", "ETCD_INITIAL_CLUSTER_STATE=new")
		if restarts := show(first, "NRestarts"); restarts != "0" {
			f.Fatalf("it was started %s times again", restarts)
		}
	})
}

// TestSystemdRemovedMember: a removed member's etcd ends with 0, which is no
// failure. The next start puts its data away and joins anew, for a unit with
// User=, on a host that cannot write to /usr.
func TestSystemdRemovedMember(t *testing.T) {
	f := newFleet(t, "/")
	token := f.token(3)
	hosts := []*machine.Machine{f.host(token), f.host(token), f.host(token)}
	for _, h := range hosts {
		h.Boot()
		h.Shell("mount --bind /usr /usr && mount -o remount,bind,ro /usr && ! touch /usr/bin/x 2>/dev/null")
	}
	for _, h := range hosts {
		waitActive(h)
	}
	gone := hosts[2]
	f.removeMember(hosts[0], gone.Name)
	gone.WaitFor("the removed etcd to end", "etcd.service", func() error {
		if state := show(gone, "ActiveState"); state != "inactive" {
			return errors.New("it is " + state)
		}
		return nil
	})
	f.wantMembers(hosts[0], hosts[0], hosts[1])
	f.start(gone)
	f.wantMembers(hosts[0], hosts...)
	owner := strings.Fields(gone.Shell("cd /var/lib/etcd/default && stat -c %U . member member.removed-*"))
	if !slices.Equal(owner, []string{"nobody", "nobody", "nobody"}) {
		t.Fatalf("the data and its archive belong to %q", owner)
	}
}

// post asks the gateway of etcd on a machine. bash does, as small roots have no
// HTTP client.
func post(m *machine.Machine, path, body string) (string, error) {
	const script = `exec 3<>"/dev/tcp/$1/2379"
printf 'POST %s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s' "$2" "${#3}" "$3" >&3
cat <&3`
	return m.Try("bash", "-ec", script, "bash", m.Addr, path, body)
}

// removeMember removes a member by name.
func (f *fleet) removeMember(m *machine.Machine, name string) {
	f.Helper()
	id := regexp.MustCompile(`"ID":"([0-9]+)","name":"` + name + `"`)
	// etcd refuses until all members have been connected for five seconds.
	m.WaitFor("the removal of "+name, "etcd.service", func() error {
		list, err := post(m, "/v3/cluster/member/list", "{}")
		if err != nil {
			return err
		}
		found := id.FindStringSubmatch(list)
		if found == nil {
			return errors.New("it is not listed: " + list)
		}
		out, err := post(m, "/v3/cluster/member/remove", `{"ID":"`+found[1]+`"}`)
		if err == nil && !strings.Contains(out, " 200 OK") {
			err = errors.New(out)
		}
		return err
	})
}

// TestSystemdEarly: before there is a bus, apply reaches systemd by its
// private socket.
func TestSystemdEarly(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		m := f.host(f.token(1))
		m.Boot()
		waitActive(m)
		put(m, "/etc/systemd/system/early.service", `[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
EnvironmentFile=/etc/elastic-etcd/elastic-etcd.conf
ExecStartPre=/bin/sh -c '! test -e /run/dbus/system_bus_socket'
ExecStart=/usr/bin/elastic-etcd apply
`)
		m.Shell("mkdir -p /etc/systemd/system/sysinit.target.wants && ln -s ../early.service /etc/systemd/system/sysinit.target.wants/")
		m.Reboot()
		waitActive(m)
		if result := m.Run("systemctl", "show", "-p", "Result", "-p", "ExecMainCode", "-p", "ExecMainStatus", "early.service"); result != "Result=success\nExecMainCode=1\nExecMainStatus=0\n" {
			f.Fatalf("before the bus: %s\n%s", result, m.Run("journalctl", "--no-pager", "-u", "early.service"))
		}
		if said := m.Run("journalctl", "--no-pager", "-o", "cat", "-u", "early.service"); !strings.Contains(said, "wrote /run/systemd/system/etcd.service.d/99-elastic-etcd.conf") {
			f.Fatalf("before the bus it wrote nothing: %s", said)
		}
		f.wantEnviron(m, "etcd.service", "ETCD_INITIAL_CLUSTER_STATE=existing")
	})
}

// TestSystemdTemplate: an instance of a template unit is wired like any other,
// and its sister is left alone.
func TestSystemdTemplate(t *testing.T) {
	f := newFleet(t, "/")
	m := f.install()
	unit := strings.ReplaceAll(etcdUnit, "/var/lib/etcd/default", "/var/lib/etcd/%i")
	m.Write("/etc/systemd/system/etcd@.service", unit, 0o644)
	m.Write(configFile, "ELASTIC_ETCD_UNIT=etcd@one.service\nELASTIC_ETCD_NAME=one\nELASTIC_ETCD_DISCOVERY="+f.token(1)+"\n", 0o644)
	m.Boot()
	m.Run("systemctl", "start", "etcd@one.service")
	f.wantEnviron(m, "etcd@one.service", "ETCD_NAME=one", "ETCD_DATA_DIR=/var/lib/etcd/one", "ETCD_INITIAL_CLUSTER_STATE=new")
	if dropIns := strings.TrimSpace(m.Run("systemctl", "show", "-P", "DropInPaths", "etcd@two.service")); dropIns != "" {
		t.Fatalf("the other instance has %s", dropIns)
	}
}

// TestSystemdStop: an admin stops and restarts a host that waits, for the
// other founders or for a place.
func TestSystemdStop(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		token := f.token(2)
		first, second := f.host(token, "ELASTIC_ETCD_TIMEOUT=80s"), f.host(token)
		first.Boot()
		f.stops(first, "1 of 2 founders registered")
		first.Run("systemctl", "start", "--no-block", "etcd.service")
		f.restarts(first, "1 of 2 founders registered")
		second.Boot()
		waitActive(second)
		waitActive(first)
		f.wantEnviron(first, "etcd.service", "ETCD_INITIAL_CLUSTER_STATE=new")
		f.wantMembers(first, first, second)

		spare := f.host(token, "ELASTIC_ETCD_STANDBY=true")
		spare.Boot()
		f.restarts(spare, "is full")
		f.stops(spare, "is full")
	})
}

// TestSystemdStopOneshot: the same for the decision as a unit of its own.
func TestSystemdStopOneshot(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		f.oneshot = true
		m := f.host(f.token(2))
		m.Boot()
		of := func(property string) string {
			return strings.TrimSpace(m.Run("systemctl", "show", "-P", property, "elastic-etcd.service"))
		}
		m.WaitFor("the decision to wait", "elastic-etcd.service", func() error {
			if text := of("StatusText"); !strings.Contains(text, "1 of 2 founders registered") {
				return fmt.Errorf("it says %q", text)
			}
			return nil
		})
		m.Run("timeout", "20", "systemctl", "stop", "elastic-etcd.service")
		if state := of("ActiveState") + " " + of("Result"); state != "inactive success" {
			t.Fatalf("after a stop it is %s\n%s", state, m.Run("journalctl", "--no-pager", "-u", "elastic-etcd.service"))
		}
		if state := show(m, "ActiveState"); state != "inactive" {
			t.Fatalf("after a stop of the decision etcd is %s", state)
		}
		f.wantNoEtcd(m)
	})
}

// waits is the process that waits, once it says for what.
func (f *fleet) waits(m *machine.Machine, reason string) (pid string) {
	f.Helper()
	m.WaitFor("etcd's start to wait", "etcd.service", func() error {
		text := show(m, "StatusText")
		if pid = show(m, "ControlPID"); pid == "0" || !strings.Contains(text, reason) {
			return fmt.Errorf("process %s says %q", pid, text)
		}
		return nil
	})
	return pid
}

// stops: what is stopped is at rest, and neither a failure nor to be tried
// again: systemd would say "activating" of a unit that waits for its RestartSec=.
func (f *fleet) stops(m *machine.Machine, reason string) {
	f.Helper()
	f.waits(m, reason)
	m.Run("timeout", "20", "systemctl", "stop", "etcd.service")
	for property, want := range map[string]string{"ActiveState": "inactive", "SubState": "dead", "Result": "success", "NRestarts": "0", "Job": ""} {
		if got := show(m, property); got != want {
			f.Fatalf("after a stop, %s is %q\n%s", property, got, m.Run("journalctl", "--no-pager", "-u", "etcd.service"))
		}
	}
	f.wantNoEtcd(m)
}

// restarts: another process waits then, at once, without the pause of a unit
// that failed.
func (f *fleet) restarts(m *machine.Machine, reason string) {
	f.Helper()
	before := f.waits(m, reason)
	m.Run("systemctl", "restart", "--no-block", "etcd.service")
	m.WaitFor("another process to wait", "etcd.service", func() error {
		if pid := show(m, "ControlPID"); pid == "0" || pid == before {
			return fmt.Errorf("it is %s", pid)
		}
		return nil
	})
	f.waits(m, reason)
	if restarts := show(m, "NRestarts"); restarts != "0" {
		f.Fatalf("after a restart by hand systemd has tried %s times again", restarts)
	}
	f.wantNoEtcd(m)
}

// wantNoEtcd looks for a word of etcd, too: it may have ended again.
func (f *fleet) wantNoEtcd(m *machine.Machine) {
	f.Helper()
	m.Shell("! ls -l /proc/[0-9]*/exe 2>/dev/null | grep /usr/bin/etcd && ! journalctl -q --no-pager _COMM=etcd | grep .")
}
