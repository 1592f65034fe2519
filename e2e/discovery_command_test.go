package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
)

// TestSourcesCommand: a command leads to a cluster and founds nothing; that it
// fails is shown, and keeps nobody from coming back.
func TestSourcesCommand(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.5", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSourced(t)
			hosts := s.lab.Hosts(4, version)
			file := filepath.Join(s.lab.Dir(), "my addresses")
			s.source = []string{`-discovery-command=cat "` + file + `"`}
			r := s.wantWait(s.ask(hosts[3]), "unreachable")
			if !strings.Contains(r.Stderr, `-discovery-command: "cat": exit status 1: "cat: '`+file) && !strings.Contains(r.Stderr, "No such file") {
				t.Fatalf("the failure is not shown: %s", r)
			}
			s.lab.Found(hosts[:3]...)
			s.write(file, hosts[1].Addr+"\n"+hosts[0].Addr+":2379 "+hosts[3].PeerURL())
			s.bring("join-listed", hosts[3], "-cluster-size=4")
			s.lab.WaitHealthy(4, hosts...)
			s.write(file, "no credentials")
			hosts[0].Kill()
			s.bring(resume, hosts[0])
			s.lab.WaitHealthy(4, hosts...)
		})
	}
}

func (s *sourced) write(file, text string) {
	s.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
}

// TestSourcesSeveral: a token whose registry is gone, with hints beside it:
// whoever of the members answers is the authority.
func TestSourcesSeveral(t *testing.T) {
	r := newRegistry(t, "3.6", 3)
	hosts := r.lab.Hosts(4, "3.6")
	token := r.source
	r.source = append(token, "-initial-cluster=gone="+hosts[3].PeerURL(), "-discovery-command=false")
	r.all(founding, hosts[:3]...)
	r.lab.WaitHealthy(3, hosts[:3]...)
	r.etcd.Kill()
	r.wantWait(r.ask(hosts[3]), "discovery-unreachable")
	r.source = append(token, "-initial-cluster="+cluster.InitialCluster(hosts[0]), "-discovery-command=echo "+hosts[1].Addr)
	r.bring("join-listed", hosts[3], "-cluster-size=4")
	r.lab.WaitHealthy(4, hosts...)
}
