package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestDiscoveryTLS founds a cluster by a service that speaks TLS to clients
// with a certificate only, and makes tokens only for who knows its secret.
func TestDiscoveryTLS(t *testing.T) {
	t.Parallel()
	lab := cluster.New(t)
	lab.Secure()
	certs := lab.ClientCerts()
	secret := filepath.Join(lab.Dir(), "secret")
	if err := os.WriteFile(secret, []byte("open sesame, or so\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := lab.Host("3.7")
	addr := at.Addr + ":8087"
	service := lab.ElasticStart(cluster.Command{Args: []string{"discovery", "serve", "--listen", addr, "--data", filepath.Join(lab.Dir(), "d.db"),
		"--cert-file", at.Certs().Cert, "--key-file", at.Certs().Key, "--trusted-ca-file", certs.CA, "--new-token-file", secret}})
	lab.WaitFor("the service to serve", logged(service, "serving discovery at https://"))

	newToken := func(more ...string) cluster.Result {
		return lab.Elastic(append([]string{"discovery", "new", "--server", "https://" + addr, "--size=2"}, more...)...)
	}
	client := []string{"-cacert=" + certs.CA, "-cert=" + certs.Cert, "-key=" + certs.Key}
	for name, r := range map[string]cluster.Result{
		"without a certificate": newToken("--cacert=" + certs.CA),
		"without its CA":        newToken("--token-file=" + secret),
		"without the secret":    newToken(client...),
	} {
		if r.Code != 78 || r.Stdout != "" {
			t.Errorf("%s: %s", name, r)
		}
	}
	// Nor does a host wait for a service that does not let it in.
	for says, flags := range map[string][]string{"unknown authority": nil, "certificate required": {"-cacert=" + certs.CA}} {
		r := lab.Host("3.7").Elastic(append(flags, "-timeout=20s", "-dead-after=3s", "-discovery=https://"+addr+"/token")...)
		if r.Code != 78 || !strings.Contains(r.Stderr, "discovery-refused") || !strings.Contains(r.Stderr, says) {
			t.Errorf("want %q: %s", says, r)
		}
	}
	made := newToken(append(client, "--token-file="+secret)...)
	s := &site{T: t, lab: lab, token: strings.TrimSpace(made.Stdout), told: map[*cluster.Host]string{}}
	hosts := []*cluster.Host{at, lab.Host("3.7")}
	var runs []*cluster.Running
	for _, h := range hosts {
		runs = append(runs, s.start(h, client...))
	}
	for i, run := range runs {
		r := run.Wait()
		s.want(r, 0, founding)
		hosts[i].StartWith(r.Stdout)
	}
	lab.WaitHealthy(2, hosts...)
}
