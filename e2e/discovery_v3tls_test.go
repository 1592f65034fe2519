package e2e

import (
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestSourcesV3Secure: the etcd that has the token wants certificates and a
// user. elastic-etcd takes the flags that etcd itself has for that.
func TestSourcesV3Secure(t *testing.T) {
	s := newSourced(t)
	s.lab.Secure()
	registry := s.lab.Host("3.6")
	s.lab.Found(registry)
	registry.Put("/_etcd/registry/secret/_config/size", "2")
	registry.EnableAuth()
	certs := s.lab.ClientCerts()
	s.source = []string{"-cacert=" + certs.CA, "-cert=" + certs.Cert, "-key=" + certs.Key}
	token := []string{"--discovery-token=secret", "--discovery-endpoints=" + registry.ClientURL()}
	files := append(token, "--discovery-cacert="+certs.CA, "--discovery-cert="+certs.Cert, "--discovery-key="+certs.Key)
	hosts := s.lab.Hosts(2, "3.7")
	for says, flags := range map[string][]string{
		"unknown authority":     append(token, "-discovery-user=root", "-discovery-password="+cluster.Root.Password),
		"certificate required":  append(token, "-discovery-cacert="+certs.CA),
		"permission denied":     files, // as the user that the certificate names
		"authentication failed": append(files, "-discovery-user=root:wrong"),
		"etcd refuses":          append(files, "-discovery-user="+cluster.Reader.Name, "-discovery-password-file="+passwordFile(t, cluster.Reader)),
	} {
		r := s.ask(hosts[0], append([]string{"-timeout=5s"}, flags...)...).Wait()
		s.want(r, 78, "discovery-refused")
		if !strings.Contains(r.Stderr, says) || !strings.Contains(r.Stderr, `discovery token "secret" at`) {
			t.Errorf("want %q: %s", says, r)
		}
		s.wantNoPassword(r)
	}
	run := s.ask(hosts[0], append(files, "-discovery-user="+cluster.Root.Name, "-discovery-password-file="+passwordFile(t, cluster.Root))...)
	hosts[1].Start(append(hosts[1].IdentityFlags(), append(files, "--discovery-user="+cluster.Root.Name, "--discovery-password="+cluster.Root.Password)...)...) // plain etcd
	r := run.Wait()
	s.want(r, 0, founding)
	s.wantNoPassword(r)
	hosts[0].StartWith(r.Stdout)
	s.lab.WaitHealthy(2, hosts...)
}
