package check

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// script is a file with a #! that an example writes on the host.
func script(t *testing.T, files map[string]string, path string) string {
	t.Helper()
	content := files[path]
	if !strings.HasPrefix(content, "#!/bin/sh\n") {
		t.Fatalf("%s is no script: %q", path, content)
	}
	return content
}

// hostFiles gives the files that an example writes, by path.
func hostFiles(t *testing.T, file string) map[string]string {
	t.Helper()
	switch file {
	case coreosFile, cloudInitFile:
		return cloudConfigFiles(t, filled(t, file))
	}
	return ignitionFiles(t, translate(t, filled(t, file)))
}

// TestFetch runs the scripts that fetch the binary, with a curl that has it.
func TestFetch(t *testing.T) {
	need(t, "sha256sum", "coreutils")
	for file, path := range map[string]string{
		coreosFile:    "/opt/bin/elastic-etcd-fetch",
		cloudInitFile: "/usr/local/sbin/elastic-etcd-fetch",
	} {
		text := script(t, hostFiles(t, file), path)
		good := "the binary\n"
		for _, tt := range []struct {
			name, there, served string
			code, fetches       int
			want                string
		}{
			{"nothing there", "", good, 0, 1, good},
			{"there already", good, good, 0, 0, good},
			{"another version there", "older\n", good, 0, 1, good},
			{"a wrong download", "", "evil\n", 78, 1, ""},
			{"a wrong download over an older one", "older\n", "evil\n", 78, 1, "older\n"},
		} {
			t.Run(file+" "+tt.name, func(t *testing.T) {
				dir := t.TempDir()
				sum := fmt.Sprintf("%x", sha256.Sum256([]byte(good)))
				s := strings.NewReplacer("/opt/bin", dir, "/usr/local/bin", dir, sumAMD64, sum, sumARM64, sum).Replace(text)
				write(t, dir+"/served", 0o644, tt.served)
				// The first try fails: a host may boot before its network.
				write(t, dir+"/curl", 0o755, "#!/bin/sh\n[ -e "+dir+"/tried ] || { touch "+dir+"/tried; exit 7; }\n"+
					"while [ \"$1\" != --output ]; do shift; done\ncp "+dir+"/served \"$2\"\necho \"$3\" >>"+dir+"/urls\n")
				write(t, dir+"/sleep", 0o755, "#!/bin/sh\n")
				if tt.there != "" {
					write(t, dir+"/elastic-etcd", 0o755, tt.there)
				}
				cmd := exec.Command("/bin/sh", "-c", s)
				cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
				_, stderr, code := run(t, cmd)
				if code != tt.code {
					t.Errorf("ends with %d, not %d: %s", code, tt.code, stderr)
				}
				urls, _ := os.ReadFile(dir + "/urls")
				if n := strings.Count(string(urls), "\n"); n != tt.fetches {
					t.Errorf("%d downloads, not %d: %s", n, tt.fetches, urls)
				}
				for url := range strings.Lines(string(urls)) {
					if !strings.Contains(url, "/download/"+version+"/elastic-etcd-"+version+"-linux-") {
						t.Errorf("downloads %s", url)
					}
				}
				got, _ := os.ReadFile(dir + "/elastic-etcd")
				if string(got) != tt.want {
					t.Errorf("the binary is %q, not %q", got, tt.want)
				}
				if info, err := os.Stat(dir + "/elastic-etcd"); err == nil && info.Mode().Perm() != 0o755 {
					t.Errorf("mode %v", info.Mode())
				}
			})
		}
	}
}

// TestAddress runs the scripts that tell etcd the host's address.
func TestAddress(t *testing.T) {
	for file, path := range map[string]string{
		cloudInitFile: "/usr/local/sbin/elastic-etcd-address",
		flatcarFile:   "/opt/bin/elastic-etcd-address",
		fcosFile:      "/usr/local/bin/elastic-etcd-address",
	} {
		text := script(t, hostFiles(t, file), path)
		t.Run(file, func(t *testing.T) {
			dir := t.TempDir()
			text := strings.ReplaceAll(text, "/run/elastic-etcd", dir+"/run")
			write(t, dir+"/uname", 0o755, "#!/bin/sh\necho n1\n")
			write(t, dir+"/ip", 0o755, "#!/bin/sh\necho 'RTNETLINK answers: Network is unreachable' >&2\nexit 2\n")
			sh := func() (string, int) {
				cmd := exec.Command("/bin/sh", "-c", text)
				cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
				_, stderr, code := run(t, cmd)
				return stderr, code
			}
			// ExecCondition= takes 255 for a failure, which is tried again.
			if stderr, code := sh(); code != 255 {
				t.Errorf("without a route it ends with %d: %s", code, stderr)
			}
			write(t, dir+"/ip", 0o755, "#!/bin/sh\necho '192.0.2.1 via 10.0.0.254 dev eth0 src 10.0.0.7 uid 0 '\necho '    cache '\n")
			if stderr, code := sh(); code != 0 || stderr != "" {
				t.Errorf("ends with %d: %s", code, stderr)
			}
			got, err := os.ReadFile(dir + "/run/address.conf")
			want := `ETCD_NAME=n1
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://10.0.0.7:2380
ETCD_LISTEN_PEER_URLS=http://10.0.0.7:2380
ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.7:2379
ETCD_LISTEN_CLIENT_URLS=http://10.0.0.7:2379,http://127.0.0.1:2379
`
			if err != nil || string(got) != want {
				t.Errorf("address.conf is %q (%v)", got, err)
			}
		})
	}
}
