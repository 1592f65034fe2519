package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
	"github.com/sttts/elastic-etcd/e2e/machine"
)

// etcdUnit is an etcd.service as distributions ship it, or as a careful admin
// hardens it.
const etcdUnit = `[Unit]
Description=etcd
[Service]
Type=notify
User=nobody
StateDirectory=etcd
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
CapabilityBoundingSet=
Environment=ETCD_NAME=%H ETCD_DATA_DIR=/var/lib/etcd/default
EnvironmentFile=-/etc/default/etcd
ExecStart=/usr/bin/etcd $DAEMON_ARGS
Restart=on-abnormal
[Install]
WantedBy=multi-user.target
`

// fleet is a site of machines with etcd and elastic-etcd installed, and one
// with the discovery service.
type fleet struct {
	*testing.T
	*machine.Site
	elastic, etcd string // binaries
	disco         *machine.Machine
	oneshot       bool // wired by contrib's elastic-etcd.service, not by the generator
}

func newFleet(t *testing.T, root string) *fleet {
	t.Helper()
	t.Parallel()
	etcd, err := etcds.Binary("3.6")
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{T: t, Site: machine.New(t, root), elastic: cluster.New(t).Binary(), etcd: etcd}
	f.disco = f.install()
	f.disco.Write("/etc/systemd/system/discovery.service", fmt.Sprintf(
		"[Service]\nStateDirectory=discovery\nExecStart=/usr/bin/elastic-etcd discovery serve --listen %s:8087 --data /var/lib/discovery/db\n", f.disco.Addr), 0o644)
	f.disco.Boot()
	f.disco.Run("systemctl", "start", "discovery.service")
	return f
}

// install makes a machine with what the package brings.
func (f *fleet) install() *machine.Machine {
	f.Helper()
	m := f.Machine()
	f.copy(m, f.elastic, "/usr/bin/elastic-etcd")
	f.copy(m, f.etcd, "/usr/bin/etcd")
	m.Write("/etc/systemd/system/etcd.service", etcdUnit, 0o644)
	if f.oneshot {
		f.copy(m, "../contrib/systemd/usr/lib/systemd/system/elastic-etcd.service", "/etc/systemd/system/elastic-etcd.service")
		m.Link("../elastic-etcd.service", "/etc/systemd/system/etcd.service.requires/elastic-etcd.service")
		return m
	}
	m.Link("/usr/bin/elastic-etcd", "/etc/systemd/system-generators/elastic-etcd-generator")
	return m
}

func (f *fleet) copy(m *machine.Machine, from, to string) {
	f.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		f.Fatal(err)
	}
	m.Write(to, string(b), 0o755)
}

// token makes a discovery URL.
func (f *fleet) token(size int) string {
	f.Helper()
	var url string
	f.disco.WaitFor("a token", "discovery.service", func() (err error) {
		url, err = f.disco.Try("elastic-etcd", "discovery", "new", "--server", "http://"+f.disco.Addr+":8087", "--size", fmt.Sprint(size))
		return err
	})
	return strings.TrimSpace(url)
}

// host is a machine that is configured by one file and that runs etcd at boot.
func (f *fleet) host(token string, more ...string) *machine.Machine {
	f.Helper()
	m := f.install()
	ours := []string{
		"# what this host is",
		"ELASTIC_ETCD_DISCOVERY=" + token,
		"ELASTIC_ETCD_INITIAL_ADVERTISE_PEER_URLS=http://" + m.Addr + ":2380",
		"ELASTIC_ETCD_DEAD_AFTER=3s",
		"ELASTIC_ETCD_TIMEOUT=20s",
	}
	etcds := []string{
		"ETCD_LISTEN_PEER_URLS=http://" + m.Addr + ":2380",
		"ETCD_LISTEN_CLIENT_URLS=http://" + m.Addr + ":2379",
		"ETCD_ADVERTISE_CLIENT_URLS=http://" + m.Addr + ":2379",
	}
	if f.oneshot { // etcd's unit does not read our file
		m.Write("/etc/default/etcd", strings.Join(etcds, "\n")+"\n", 0o644)
		etcds = nil
	}
	lines := slices.Concat(ours, etcds, more)
	m.Write("/etc/elastic-etcd/elastic-etcd.conf", strings.Join(lines, "\n")+"\n", 0o644)
	m.Link("../etcd.service", "/etc/systemd/system/multi-user.target.wants/etcd.service")
	return m
}

func waitActive(m *machine.Machine) {
	m.WaitFor("etcd to be active", "etcd.service", func() error {
		_, err := m.Try("systemctl", "is-active", "etcd.service")
		return err
	})
}

// founders boots so many hosts, which found a cluster.
func (f *fleet) founders(token string, n int) (hosts []*machine.Machine) {
	f.Helper()
	for range n {
		hosts = append(hosts, f.host(token))
	}
	for _, h := range hosts {
		h.Boot()
	}
	for _, h := range hosts {
		waitActive(h)
	}
	return hosts
}

// show gives a property of etcd's unit.
func show(m *machine.Machine, property string) string {
	return showOf(m, "etcd.service", property)
}

func showOf(m *machine.Machine, unit, property string) string {
	return strings.TrimSpace(m.Run("systemctl", "show", "-P", property, unit))
}

// members lists names, as the cluster of a machine sees them.
func (f *fleet) members(m *machine.Machine) []string {
	f.Helper()
	var names []string
	m.WaitFor("the cluster to answer", "etcd.service", func() error {
		out, _ := m.Try("sh", "-c", "elastic-etcd plan -o json -name=looker -data-dir=/nonexistent -etcd-version=any -join-strategy=prepare -timeout=5s -dead-after=1s "+
			"-initial-advertise-peer-urls=http://10.99.0.254:2380 -endpoints=http://"+m.Addr+":2379 2>/dev/null")
		var seen struct {
			Observation struct {
				Clusters []struct{ Members []struct{ Name string } }
			}
		}
		if err := json.Unmarshal([]byte(out), &seen); err != nil || len(seen.Observation.Clusters) != 1 {
			return fmt.Errorf("no cluster with a quorum in %s: %w", out, err)
		}
		names = nil
		for _, member := range seen.Observation.Clusters[0].Members {
			names = append(names, member.Name)
		}
		return nil
	})
	slices.Sort(names)
	return names
}

func (f *fleet) wantMembers(seenBy *machine.Machine, hosts ...*machine.Machine) {
	f.Helper()
	var want []string
	for _, h := range hosts {
		want = append(want, h.Name)
	}
	slices.Sort(want)
	if got := f.members(seenBy); !slices.Equal(got, want) {
		f.Fatalf("the members are %q, want %q", got, want)
	}
}

// TestSystemdLife: hosts that have the package and one configuration file,
// from nothing to a cluster, through a reboot, a crash, the loss of one for
// good and its replacement.
func TestSystemdLife(t *testing.T) {
	for name, oneshot := range map[string]bool{"generator": false, "oneshot": true} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, "/")
			f.oneshot = oneshot
			f.life()
		})
	}
}

func (f *fleet) life() {
	f.Helper()
	token := f.token(3)
	hosts := []*machine.Machine{f.host(token), f.host(token), f.host(token)}
	for _, h := range hosts {
		h.Boot()
	}
	for _, h := range hosts {
		waitActive(h)
	}
	f.wantMembers(hosts[0], hosts...)

	hosts[0].Reboot()
	waitActive(hosts[0])
	f.wantMembers(hosts[0], hosts...)

	f.crash(hosts[0])
	f.wantMembers(hosts[0], hosts...)

	hosts[1].PowerOff()
	fresh := f.host(token)
	fresh.Boot()
	waitActive(fresh)
	f.wantMembers(fresh, hosts[0], hosts[2], fresh)
	f.decisionsAreRecorded(fresh, "join-listed")
	if !f.oneshot {
		f.surplusIsRefused(token, fresh)
	}
}

// crash kills etcd: Restart= brings it back through elastic-etcd, and reloads
// by others do not undo what it was told.
func (f *fleet) crash(m *machine.Machine) {
	f.Helper()
	before := show(m, "NRestarts")
	m.Run("systemctl", "kill", "-s", "KILL", "etcd.service")
	m.WaitFor("etcd to be restarted", "etcd.service", func() error {
		if show(m, "NRestarts") == before || show(m, "ActiveState") != "active" {
			return errors.New("not yet")
		}
		return nil
	})
	m.Run("systemctl", "daemon-reload")
	if env := show(m, "Environment"); !strings.Contains(env, "ETCD_INITIAL_CLUSTER_STATE=existing") {
		f.Fatalf("after a reload by somebody else, the environment is %s", env)
	}
}

// decisionsAreRecorded: journalctl finds them by their message ID.
func (f *fleet) decisionsAreRecorded(m *machine.Machine, reason string) {
	f.Helper()
	m.Run("journalctl", "--sync")
	out := m.Run("journalctl", "--no-pager", "-o", "json", "MESSAGE_ID=5f2a6c31d0b94e0c8a3c7e914d2f6b08")
	if !strings.Contains(out, `"ELASTIC_ETCD_REASON":"`+reason+`"`) {
		f.Fatalf("no record of the decision: %s", out)
	}
}

// surplusIsRefused: what may be tried again is tried again, what a human must
// mend is not, and both say why.
func (f *fleet) surplusIsRefused(token string, member *machine.Machine) {
	f.Helper()
	surplus := f.host(token)
	surplus.Boot()
	surplus.WaitFor("etcd to be refused and tried again", "etcd.service", func() error {
		if show(surplus, "NRestarts") == "0" {
			return errors.New("not tried again yet")
		}
		return nil
	})
	f.says(surplus, "is full: it has 3 members of 3")
	namesake := f.host(token, "ELASTIC_ETCD_NAME="+member.Name)
	namesake.Boot()
	namesake.WaitFor("etcd to be refused", "etcd.service", func() error {
		return refused(namesake)
	})
	f.says(namesake, "has the name of this host")
	if state, restarts := show(namesake, "ActiveState"), show(namesake, "NRestarts"); state != "inactive" || restarts != "0" {
		f.Fatalf("a host that needs a human is %s after %s restarts", state, restarts)
	}
}

// says waits for systemctl status to give the reason: it shows the run that is
// under way, which may not have got to it.
func (f *fleet) says(m *machine.Machine, reason string) {
	f.Helper()
	m.WaitFor(fmt.Sprintf("systemctl status to say %q", reason), "etcd.service", func() error {
		status, _ := m.Try("systemctl", "status", "--no-pager", "-l", "-n", "20", "etcd.service")
		if !strings.Contains(status, reason) {
			return errors.New("it does not")
		}
		return nil
	})
}

// roots are machines of several systemd versions: this one's, and those that
// "make rootfs" builds.
var roots = []string{"this", "bullseye", "trixie", "sid"}

// onEveryRoot runs a test on each of them.
func onEveryRoot(t *testing.T, test func(f *fleet)) {
	for _, name := range roots {
		t.Run(name, func(t *testing.T) {
			root := "/"
			if name != "this" {
				root = machine.Root(t, name)
			}
			test(newFleet(t, root))
		})
	}
}

// TestSystemdVersions: the wiring and a crash, on 247, 252, 257 and the
// newest.
func TestSystemdVersions(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		m := f.host(f.token(1))
		m.Boot()
		waitActive(m)
		f.crash(m)
		m.Reboot()
		waitActive(m)
		f.decisionsAreRecorded(m, "resume-unconfirmed")
	})
}

// TestSystemdBadConfiguration: etcd does not start by its defaults.
func TestSystemdBadConfiguration(t *testing.T) {
	onEveryRoot(t, badConfiguration)
}

func badConfiguration(f *fleet) {
	m := f.host(f.token(1), "ELASTIC_ETCD_NAME: typo")
	m.Boot()
	m.WaitFor("etcd to be refused", "etcd.service", func() error {
		return refused(m)
	})
	f.says(m, "/etc/elastic-etcd/elastic-etcd.conf:9")
	m.WaitFor("the rest of the machine to boot", "multi-user.target", func() error {
		_, err := m.Try("systemctl", "is-active", "multi-user.target")
		return err
	})
}

// refused fails until a unit was skipped by its ExecCondition= and is at rest.
func refused(m *machine.Machine) error {
	if state, result := show(m, "ActiveState"), show(m, "ExecCondition"); state != "inactive" || !strings.Contains(result, "status=78") {
		return fmt.Errorf("it is %s after %s", state, result)
	}
	return nil
}

// TestSystemdApply runs apply by hand, on units of all kinds.
func TestSystemdApply(t *testing.T) {
	onEveryRoot(t, func(f *fleet) {
		m := f.install()
		m.Boot()
		f.awkwardValuesArrive(m)
		f.sameBytesNoReload(m)
		f.environmentFileIsOutdone(m)
		f.flagsAreRefused(m)
	})
}

// start starts etcd; a failure shows why.
func (f *fleet) start(m *machine.Machine) {
	f.Helper()
	if _, err := m.Try("systemctl", "start", "etcd.service"); err != nil {
		status, _ := m.Try("systemctl", "status", "--no-pager", "-l", "-n", "30", "etcd.service")
		f.Fatalf("%v\n%s", err, status)
	}
}

func (f *fleet) apply(more ...string) []string {
	return append([]string{"elastic-etcd", "apply", "-discovery=" + f.token(1), "-timeout=20s", "-dead-after=1s"}, more...)
}

// awkwardValuesArrive byte for byte in etcd's environment.
func (f *fleet) awkwardValuesArrive(m *machine.Machine) {
	f.Helper()
	name, dir := `50%h "x" \n $HOME 'ö' `+"`id`", `/var/lib/etcd/%n "d" $x \t`
	m.Run(f.apply("-name="+name, "-data-dir="+dir)...)
	m.Run("chown", "-R", "nobody", dir)
	m.Run("chmod", "755", "/var/lib/etcd")
	f.start(m)
	environ := m.Shell("cat /proc/$(systemctl show -P MainPID etcd)/environ")
	for _, want := range []string{"ETCD_NAME=" + name, "ETCD_DATA_DIR=" + dir} {
		if !slices.Contains(strings.Split(environ, "\x00"), want) {
			f.Fatalf("%q is not in etcd's environment: %q", want, environ)
		}
	}
}

// sameBytesNoReload: a run that changes nothing leaves systemd alone.
func (f *fleet) sameBytesNoReload(m *machine.Machine) {
	f.Helper()
	again := []string{"elastic-etcd", "apply", "-endpoints=http://127.0.0.1:1", "-timeout=20s", "-dead-after=1s"}
	m.Run(again...) // writes the drop-in of a resume
	before := reloads(m)
	m.Run(again...)
	if after := reloads(m); after != before {
		f.Fatalf("%s reloads became %s", before, after)
	}
}

// TestSystemdRateLimit: from 253 on systemd may refuse a reload; that is a
// matter of time, and the start goes on.
func TestSystemdRateLimit(t *testing.T) {
	f := newFleet(t, machine.Root(t, "trixie"))
	m := f.install()
	m.Write("/etc/systemd/system.conf.d/limit.conf", "[Manager]\nReloadLimitIntervalSec=15s\nReloadLimitBurst=2\n", 0o644)
	m.Boot()
	apply := f.apply("-name=n", "-data-dir=/var/lib/etcd/limit")
	m.Shell("while systemctl daemon-reload; do :; done 2>/dev/null")
	out := m.Run(apply...)
	if !strings.Contains(out, "wrote") || !strings.Contains(show(m, "Environment"), "ETCD_NAME=n") {
		t.Fatalf("it did not get through: %s", out)
	}
}

func reloads(m *machine.Machine) string {
	return m.Shell("journalctl --sync; journalctl --no-pager -o cat _PID=1 | grep -c -i '^Reloading' || true")
}

// environmentFileIsOutdone: systemd lets an EnvironmentFile= beat every
// Environment=, so apply brings a file of its own, read last.
func (f *fleet) environmentFileIsOutdone(m *machine.Machine) {
	f.Helper()
	m.Shell("systemctl stop etcd; rm -r /run/systemd/system/etcd.service.d; printf 'ETCD_NAME=distribution\\nETCD_DISCOVERY=http://127.0.0.1:1/x\\n' >/etc/default/etcd; systemctl daemon-reload")
	out := m.Run(f.apply("-name=ours", "-data-dir=/var/lib/etcd/two")...)
	if !strings.Contains(out, "ETCD_NAME") {
		f.Fatalf("apply does not say what it outdoes: %s", out)
	}
	m.Run("chown", "-R", "nobody", "/var/lib/etcd/two")
	f.start(m)
	environ := strings.Split(m.Shell("cat /proc/$(systemctl show -P MainPID etcd)/environ"), "\x00")
	if !slices.Contains(environ, "ETCD_NAME=ours") || slices.ContainsFunc(environ, func(e string) bool { return strings.HasPrefix(e, "ETCD_DISCOVERY=") }) {
		f.Fatalf("etcd's environment is %q", environ)
	}
}

// flagsAreRefused: what stands on etcd's command line is out of reach.
func (f *fleet) flagsAreRefused(m *machine.Machine) {
	f.Helper()
	m.Shell("systemctl stop etcd; rm /etc/default/etcd; echo 'DAEMON_ARGS=\"--name fixed\"' >/etc/default/etcd; systemctl daemon-reload")
	out, err := m.Try(f.apply("-name=ours", "-data-dir=/var/lib/etcd/three")...)
	if err == nil || !strings.Contains(out, "--name") || !strings.Contains(err.Error(), "exit status 78") {
		f.Fatalf("apply went on: %s, %v", out, err)
	}
	if _, err := m.Try("test", "-e", "/var/lib/etcd/three"); err == nil {
		f.Fatal("it touched the data dir")
	}
}

// TestSystemdPatience: a founder waits for the others for longer than its
// unit's start timeout, and is not killed for it.
func TestSystemdPatience(t *testing.T) {
	f := newFleet(t, "/")
	token := f.token(2)
	first, second := f.host(token, "ELASTIC_ETCD_TIMEOUT=80s"), f.host(token)
	first.Write("/etc/systemd/system/etcd.service.d/50-timeout.conf", "[Service]\nTimeoutStartSec=4s\n", 0o644)
	first.Boot()
	first.WaitFor("etcd's start to outlast its timeout", "etcd.service", func() error {
		age, err := first.Try("sh", "-c", "ps -o etimes= -C elastic-etcd")
		if err != nil {
			return err
		}
		if seconds := strings.TrimSpace(age); len(seconds) < 2 {
			return fmt.Errorf("it waits for %s s", seconds)
		}
		return nil
	})
	if restarts := show(first, "NRestarts"); restarts != "0" {
		t.Fatalf("it was started %s times again", restarts)
	}
	f.says(first, "1 of 2 founders registered")
	second.Boot()
	waitActive(first)
	waitActive(second)
}

// TestSystemdStandby: a spare host waits for a place, and takes it over when a
// member dies.
func TestSystemdStandby(t *testing.T) {
	f := newFleet(t, "/")
	token := f.token(3)
	hosts := f.founders(token, 3)
	spare := f.host(token, "ELASTIC_ETCD_STANDBY=true")
	spare.Boot()
	f.says(spare, "is full: it has 3 members of 3")
	hosts[1].PowerOff()
	waitActive(spare)
	f.wantMembers(spare, hosts[0], hosts[2], spare)
	if restarts := show(spare, "NRestarts"); restarts != "0" {
		t.Fatalf("the spare was started %s times again", restarts)
	}
}
