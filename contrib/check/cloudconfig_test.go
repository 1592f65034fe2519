package check

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/coreos-cloudinit/config"
	"github.com/coreos/coreos-cloudinit/config/validate"
	"gopkg.in/yaml.v3"
)

// cloudConfigFiles gives the write_files of a cloud-config.
func cloudConfigFiles(t *testing.T, text string) map[string]string {
	t.Helper()
	c, err := config.NewCloudConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range c.WriteFiles {
		files[f.Path] = f.Content
	}
	return files
}

// substituted is what coreos-cloudinit makes of the text before it parses it.
func substituted(text string) string {
	return strings.ReplaceAll(text, "$private_ipv4", "10.0.0.7")
}

func TestCoreOSValidates(t *testing.T) {
	for name, text := range map[string]string{
		"as it is": read(t, coreosFile), "filled in": filled(t, coreosFile), "substituted": substituted(filled(t, coreosFile)),
	} {
		report, err := validate.Validate([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, entry := range report.Entries() {
			// The last releases of CoreOS had no etcd2 any more. It is for those
			// that have.
			if strings.Contains(entry.String(), "warning: deprecated key \"etcd2\"") {
				continue
			}
			t.Errorf("%s: %v", name, entry)
		}
	}
}

func TestCoreOSUnits(t *testing.T) {
	c, err := config.NewCloudConfig(substituted(filled(t, coreosFile)))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.CoreOS.Etcd2.ListenPeerURLs; got != "http://10.0.0.7:2380" {
		t.Errorf("etcd2 listens for peers at %q", got)
	}
	units := map[string]string{"etcd2.service": coreosEtcd2}
	for _, u := range c.CoreOS.Units {
		if u.Content != "" {
			units[u.Name] = u.Content
		}
		for _, d := range u.DropIns {
			units[u.Name+".d/"+d.Name] = d.Content
		}
	}
	if len(units) != 3 {
		t.Errorf("units are %v", units)
	}
	verify(t, units, "/opt/bin/elastic-etcd", "/opt/bin/elastic-etcd-fetch", "/usr/bin/etcd2")

	// The systemd of CoreOS refuses a oneshot with a Restart=, and knows no
	// ExecCondition=.
	if text := units["elastic-etcd.service"]; strings.Contains(text, "\nRestart=") || strings.Contains(text, "ExecCondition") {
		t.Errorf("elastic-etcd.service is not for systemd 241:\n%s", text)
	}
	want := "/opt/bin/elastic-etcd apply --unit=etcd2.service --data-dir=/var/lib/etcd2 --name=10.0.0.7 --initial-advertise-peer-urls=http://10.0.0.7:2380 --discovery=" + token + ";"
	if script := shellLine(t, units["elastic-etcd.service"]); !strings.Contains(script, want) {
		t.Errorf("no %q in %s", want, script)
	}
}

func TestCloudInitSchema(t *testing.T) {
	need(t, "cloud-init", "cloud-init")
	for name, text := range map[string]string{"as-it-is": read(t, cloudInitFile), "filled-in": filled(t, cloudInitFile)} {
		file := write(t, filepath.Join(t.TempDir(), name), 0o644, text)
		stdout, stderr, code := run(t, exec.Command("cloud-init", "schema", "--config-file", file))
		if code != 0 || !strings.Contains(stdout, "Valid") {
			t.Errorf("%s: %d %s%s", name, code, stdout, stderr)
		}
	}
}

func TestCloudInitUnits(t *testing.T) {
	files := hostFiles(t, cloudInitFile)
	if want := "ELASTIC_ETCD_DISCOVERY=" + token + "\n"; files["/etc/elastic-etcd/elastic-etcd.conf"] != want {
		t.Errorf("elastic-etcd.conf is %q, not %q", files["/etc/elastic-etcd/elastic-etcd.conf"], want)
	}
	verify(t, map[string]string{
		"etcd.service":                        debianEtcd,
		"etcd.service.d/10-elastic-etcd.conf": files["/etc/systemd/system/etcd.service.d/10-elastic-etcd.conf"],
	}, "/usr/bin/etcd", "/usr/local/bin/elastic-etcd", "/usr/local/sbin/elastic-etcd-address")
}

// TestCloudInitRuns runs the commands: etcd is started when the binary is in
// place, and not before.
func TestCloudInitRuns(t *testing.T) {
	var c map[string]any
	if err := yaml.Unmarshal([]byte(filled(t, cloudInitFile)), &c); err != nil {
		t.Fatal(err)
	}
	// The schema allows every key at the top.
	if keys := slices.Sorted(maps.Keys(c)); !slices.Equal(keys, []string{"packages", "runcmd", "write_files"}) {
		t.Fatalf("keys are %q", keys)
	}
	for fetch, want := range map[string]string{"exit 78": "", "exit 0": "daemon-reload\nenable etcd.service\nrestart --no-block etcd.service\n"} {
		dir := t.TempDir()
		write(t, dir+"/elastic-etcd-fetch", 0o755, "#!/bin/sh\n"+fetch+"\n")
		write(t, dir+"/systemctl", 0o755, "#!/bin/sh\necho \"$@\"\n")
		var got string
		for _, command := range c["runcmd"].([]any) {
			var args []string
			for _, word := range command.([]any) {
				args = append(args, strings.ReplaceAll(word.(string), "/usr/local/sbin", dir))
			}
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
			stdout, stderr, _ := run(t, cmd)
			got += stdout + stderr
		}
		if got != want {
			t.Errorf("fetch ends with %s: systemctl is called with %q", fetch, got)
		}
	}
}
