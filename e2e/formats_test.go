package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestFormats starts etcd by the formats that the other tests do not use: by
// variables, and by a configuration file.
func TestFormats(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 2)
			hosts := s.lab.Hosts(2, version)
			runs := []*cluster.Running{
				hosts[0].ElasticStart(append(s.flags(hosts[0]), "-o=env")...),
				hosts[1].ElasticStart(append(s.flags(hosts[1]), "-o=json")...),
			}
			s.launchByEnv(hosts[0], runs[0].Wait())
			s.launchByFile(hosts[1], runs[1].Wait())
			s.lab.WaitHealthy(2, hosts...)
		})
	}
}

// launchByEnv hands etcd the variables as a shell would read them.
func (s *site) launchByEnv(h *cluster.Host, r cluster.Result) {
	s.Helper()
	s.want(r, 0, founding)
	var env []string
	for _, line := range strings.Split(strings.TrimSpace(r.Stdout), "\n") {
		name, value, _ := strings.Cut(line, "=")
		env = append(env, name+"="+strings.Trim(value, `"`)) // nothing is escaped in these
	}
	h.Launch(env, h.MachineFlags()...)
}

// launchByFile adds what an admin's configuration file would say of the
// machine, since etcd reads nothing beside the file.
func (s *site) launchByFile(h *cluster.Host, r cluster.Result) {
	s.Helper()
	s.want(r, 0, founding)
	config := map[string]string{}
	if err := json.Unmarshal([]byte(r.Stdout), &config); err != nil {
		s.Fatal(err)
	}
	for _, flag := range h.MachineFlags() {
		name, value, _ := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		config[name] = value
	}
	b, err := json.Marshal(config)
	if err != nil {
		s.Fatal(err)
	}
	file := filepath.Join(s.TempDir(), "etcd.json")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		s.Fatal(err)
	}
	h.Launch(nil, "--config-file="+file)
}
