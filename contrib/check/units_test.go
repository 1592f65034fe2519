package check

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The units that distributions bring, as much as a drop-in has to get on with.
const (
	debianEtcd = `[Unit]
Description=etcd of Debian
[Service]
Type=notify
Environment=ETCD_NAME=%H
Environment=ETCD_DATA_DIR=/var/lib/etcd/default
EnvironmentFile=-/etc/default/%p
ExecStart=/usr/bin/etcd $DAEMON_ARGS
Restart=on-abnormal
User=etcd
[Install]
WantedBy=multi-user.target
`
	coreosEtcd2 = `[Unit]
Description=etcd2 of CoreOS
[Service]
User=etcd
Type=notify
Environment=ETCD_DATA_DIR=/var/lib/etcd2
Environment=ETCD_NAME=%m
ExecStart=/usr/bin/etcd2
Restart=always
RestartSec=10s
`
	flatcarEtcdMember = `[Unit]
Description=etcd of Flatcar
Wants=network-online.target
After=network-online.target
[Service]
Type=notify
Restart=on-failure
RestartSec=10s
TimeoutStartSec=0
Environment="ETCD_IMAGE_TAG=v3.6.11"
Environment="ETCD_NAME=%m"
Environment="ETCD_USER=etcd"
Environment="ETCD_DATA_DIR=/var/lib/etcd"
ExecStart=/usr/lib/flatcar/etcd-wrapper $ETCD_OPTS
[Install]
WantedBy=multi-user.target
`
)

var execLine = regexp.MustCompile(`(?m)^Exec\w+=[-+!:@]*(/\S+)`)

// verify has systemd read units and drop-ins, by their paths below
// /etc/systemd/system, on a host that has these programs and no others.
func verify(t *testing.T, units map[string]string, programs ...string) {
	t.Helper()
	need(t, "systemd-analyze", "systemd")
	root := t.TempDir()
	targets, err := filepath.Glob("/usr/lib/systemd/system/*.target")
	if err != nil || len(targets) == 0 {
		t.Fatalf("no targets in /usr/lib/systemd/system (%v)", err)
	}
	for _, file := range targets {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(root, file), 0o644, string(b))
	}
	args := []string{"--man=no", "--root=" + root, "verify"}
	for name, content := range units {
		write(t, filepath.Join(root, "etc/systemd/system", name), 0o644, content)
		if !strings.Contains(name, "/") {
			args = append(args, name)
		}
	}
	programs = append(programs, "/bin/sh")
	for _, file := range programs {
		write(t, filepath.Join(root, file), 0o755, "")
	}
	// Systemd looks for the first command of a list only.
	for name, content := range units {
		for _, command := range execLine.FindAllStringSubmatch(content, -1) {
			if !slices.Contains(programs, command[1]) {
				t.Errorf("%s runs %s, which is not there", name, command[1])
			}
		}
	}
	stdout, stderr, code := run(t, exec.Command("systemd-analyze", args...))
	if code != 0 || stdout+stderr != "" {
		t.Errorf("systemd-analyze %s: %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
}

func TestUnitsVerify(t *testing.T) {
	for _, tt := range []struct {
		name  string
		units map[string]string
	}{
		{"oneshot", map[string]string{"elastic-etcd.service": read(t, oneshotFile), "etcd.service": debianEtcd,
			"etcd.service.d/enabled.conf": "[Unit]\nRequires=elastic-etcd.service\n"}},
		{"discovery", map[string]string{"elastic-etcd-discovery.service": read(t, discoveryFile), "elastic-etcd-discovery.socket": read(t, socketFile)}},
		{"drop-in", map[string]string{"etcd.service": debianEtcd, "etcd.service.d/10-elastic-etcd.conf": read(t, dropInFile)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			verify(t, tt.units, "/usr/bin/elastic-etcd", "/usr/bin/etcd")
		})
	}
}

// TestHardened: the discovery service is locked up. The oneshot must be root,
// with the network, D-Bus and the right to chown, which is what systemd counts
// against it.
func TestHardened(t *testing.T) {
	need(t, "systemd-analyze", "systemd")
	for file, most := range map[string]int{discoveryFile: 15, oneshotFile: 20} { // tenths
		stdout, stderr, code := run(t, exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager",
			fmt.Sprintf("--threshold=%d", most), filepath.Join("..", file)))
		if code != 0 || stderr != "" {
			t.Errorf("%s is above %d: %d\n%s%s", file, most, code, stdout, stderr)
		}
	}
}

// TestDiscoveryRestarts: always, but for what another try does not mend.
func TestDiscoveryRestarts(t *testing.T) {
	var got []string
	for line := range strings.Lines(read(t, discoveryFile)) {
		if strings.HasPrefix(line, "Restart") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{"Restart=always", "RestartSec=2s", "RestartPreventExitStatus=78"}
	if !slices.Equal(got, want) {
		t.Errorf("it has %q, want %q", got, want)
	}
}

var credentialLine = regexp.MustCompile(`(?m)^#((?:LoadCredential|Environment)=.*)$`)

// TestDiscoveryCredentials: what the unit offers for files of root's is read by
// systemd, with %d from 250 on, and each file that is named is handed over.
func TestDiscoveryCredentials(t *testing.T) {
	text := credentialLine.ReplaceAllString(read(t, discoveryFile), "$1")
	verify(t, map[string]string{"elastic-etcd-discovery.service": text}, "/usr/bin/elastic-etcd")
	var given, named []string
	for line := range strings.Lines(text) {
		if name, found := strings.CutPrefix(line, "LoadCredential="); found {
			name, _, _ = strings.Cut(name, ":")
			given = append(given, name)
		}
		if variable, name, found := strings.Cut(strings.TrimSpace(line), "=%d/"); found {
			named = append(named, name)
			if !strings.HasPrefix(variable, "Environment=ELASTIC_ETCD_DISCOVERY_") {
				t.Errorf("%q is no variable of the service", variable)
			}
		}
	}
	if len(given) < 5 || !slices.Equal(given, named) {
		t.Errorf("handed over are %q, named %q", given, named)
	}
}

// TestTriesAgain runs the shell line of the oneshot for old systemds: it must end with the
// exit codes that are final, and with no other.
func TestTriesAgain(t *testing.T) {
	unit := map[string]string{"coreos": filled(t, coreosFile)}
	for name, text := range unit {
		for _, tt := range []struct {
			codes string // of elastic-etcd, one run after the other
			want  int
		}{
			{"0", 0}, {"75 0", 0}, {"1 137 255 75 0", 0}, {"2", 2}, {"6", 6}, {"75 78", 78},
		} {
			t.Run(name+" "+tt.codes, func(t *testing.T) {
				dir := t.TempDir()
				write(t, dir+"/codes", 0o644, strings.ReplaceAll(tt.codes, " ", "\n")+"\n")
				write(t, dir+"/elastic-etcd", 0o755, "#!/bin/sh\ncode=$(sed -n 1p "+dir+"/codes)\nsed -i 1d "+dir+"/codes\nexit $code\n")
				write(t, dir+"/sleep", 0o755, "#!/bin/sh\n")
				script := shellLine(t, text)
				script = strings.NewReplacer("/usr/bin/elastic-etcd", dir+"/elastic-etcd", "/opt/bin/elastic-etcd", dir+"/elastic-etcd").Replace(script)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				cmd := exec.CommandContext(ctx, "/bin/sh", "-c", script)
				cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
				_, stderr, code := run(t, cmd)
				left, err := os.ReadFile(dir + "/codes")
				if err != nil {
					t.Fatal(err)
				}
				if code != tt.want || len(left) != 0 || stderr != "" {
					t.Errorf("ends with %d, not %d, %q not run: %s", code, tt.want, left, stderr)
				}
			})
		}
	}
}

// shellLine gives the script of ExecStart=/bin/sh -c '...' as the shell gets it.
func shellLine(t *testing.T, text string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		script, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/bin/sh -c '")
		if ok {
			return strings.ReplaceAll(strings.TrimSuffix(script, "'"), "$$", "$")
		}
	}
	t.Fatal("no ExecStart=/bin/sh -c")
	return ""
}
