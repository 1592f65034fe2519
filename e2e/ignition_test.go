package e2e

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/machine"
)

// TestIgnition: three hosts whose disks are as Ignition leaves them, from
// contrib's Flatcar file, to a cluster; one reboots, and one is lost for good
// and replaced. The unit of the distribution is stood in for by ours.
func TestIgnition(t *testing.T) {
	f := newFleet(t, "/")
	disk := f.ignite(f.token(3))
	hosts := []*machine.Machine{f.flatcar(disk), f.flatcar(disk), f.flatcar(disk)}
	for _, h := range hosts {
		h.Boot()
	}
	for _, h := range hosts {
		waitMember(h)
	}
	f.wantMembers(hosts[0], hosts...)
	hosts[0].Reboot()
	waitMember(hosts[0])
	hosts[1].PowerOff()
	fresh := f.flatcar(disk)
	fresh.Boot()
	waitMember(fresh)
	f.wantMembers(fresh, hosts[0], hosts[2], fresh)
}

func waitMember(m *machine.Machine) {
	m.WaitFor("etcd to be active", "etcd-member.service", func() error {
		_, err := m.Try("systemctl", "is-active", "etcd-member.service")
		return err
	})
}

// ignite makes the files of one host from contrib/ignition/flatcar.bu: filled
// in as a release does it, translated and applied by the real parsers.
func (f *fleet) ignite(token string) string {
	f.Helper()
	dir := f.TempDir()
	binary, err := os.ReadFile(f.elastic)
	if err != nil {
		f.Fatal(err)
	}
	sum := sha256.Sum256(binary)
	sums := filepath.Join(dir, "SHA256SUMS")
	if err := os.WriteFile(sums, fmt.Appendf(nil, "%x  elastic-etcd-v1-linux-amd64\n%x  elastic-etcd-v1-linux-arm64\n", sum, sum), 0o644); err != nil {
		f.Fatal(err)
	}
	filled := f.pipe("../contrib/ignition/flatcar.bu", ".", "../packaging/fill.sh", "v1", sums, token)
	// The window of a minute is not what is tested here.
	filled = strings.Replace(filled, "ELASTIC_ETCD_DISCOVERY=", "ELASTIC_ETCD_DEAD_AFTER=3s\n          ELASTIC_ETCD_DISCOVERY=", 1)
	bu := filepath.Join(dir, "flatcar.bu")
	if err := os.WriteFile(bu, []byte(filled), 0o644); err != nil {
		f.Fatal(err)
	}
	f.pipe(bu, "../contrib/check", "go", "run", "./cmd/ignite", filepath.Join(dir, "disk"), f.elastic)
	return filepath.Join(dir, "disk")
}

// pipe runs a command in a directory, with a file as its standard input.
func (f *fleet) pipe(input, dir string, argv ...string) string {
	f.Helper()
	in, err := os.Open(input)
	if err != nil {
		f.Fatal(err)
	}
	defer in.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdin = dir, in
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		f.Fatalf("%q: %v: %s", argv, err, stderr.String())
	}
	return string(out)
}

// flatcar is a machine with a disk of that content.
func (f *fleet) flatcar(disk string) *machine.Machine {
	f.Helper()
	m := f.Machine()
	f.copy(m, f.etcd, "/usr/bin/etcd")
	f.copy(m, f.elastic, "/usr/bin/elastic-etcd") // for the test to look
	m.Write("/usr/lib/systemd/system/etcd-member.service", etcdUnit, 0o644)
	m.CopyTree(disk)
	return m
}
