package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// sourced is a lab whose hosts are given other sources than a discovery URL.
type sourced struct {
	*site
	source []string // the flags that name it
}

func newSourced(t *testing.T, source ...string) *sourced {
	t.Helper()
	t.Parallel()
	return &sourced{&site{T: t, lab: cluster.New(t), told: map[*cluster.Host]string{}}, source}
}

// ask starts elastic-etcd on a host with the lab's source.
func (s *sourced) ask(h *cluster.Host, more ...string) *cluster.Running {
	s.Helper()
	binary, err := etcds.Binary(h.Version)
	if err != nil {
		s.Fatal(err)
	}
	flags := append([]string{"-o=flags", "-etcd-binary=" + binary, "-dead-after=3s", "-timeout=90s", "-v=2"}, s.source...)
	return h.ElasticStart(append(flags, more...)...)
}

// bring does what a host does when it comes up.
func (s *sourced) bring(reason string, h *cluster.Host, more ...string) string {
	s.Helper()
	r := s.ask(h, more...).Wait()
	s.want(r, 0, reason)
	h.StartWith(r.Stdout)
	return r.Stdout
}

// all brings hosts up at once.
func (s *sourced) all(reason string, hosts ...*cluster.Host) {
	s.Helper()
	var runs []*cluster.Running
	for _, h := range hosts {
		runs = append(runs, s.ask(h))
	}
	for i := range s.asTheyEnd(runs) {
		r := runs[i].Wait()
		s.want(r, 0, reason)
		hosts[i].StartWith(r.Stdout)
		s.told[hosts[i]] = r.Stdout
	}
}

// static gives a lab's hosts a list of themselves, and the admin's word.
func static(hosts []*cluster.Host) []string {
	return []string{"-initial-cluster=" + cluster.InitialCluster(hosts...), "-initial-cluster-state=new", "-initial-cluster-token=static"}
}

// TestSourcesStatic: hosts with one list found one cluster, plain etcd among
// them, however late one comes; nobody founds again.
func TestSourcesStatic(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.3", "3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			s := newSourced(t)
			hosts := s.lab.Hosts(4, version)
			s.source = static(hosts[:3])
			s.wantWait(s.ask(hosts[3]), "founder-not-listed")
			s.bring("found", hosts[0])
			hosts[1].Start(append(hosts[1].IdentityFlags(), s.source...)...) // plain etcd
			s.lab.WaitLeader(hosts[0], hosts[1])
			hosts[0].Put("key", "value")
			s.bring("join-listed", hosts[2])
			s.lab.WaitHealthy(3, hosts[:3]...)
			s.wantKey(hosts[2], "value")
			s.wipeOne(hosts)
		})
	}
}

// wipeOne takes a founder's disk while nobody else is up.
func (s *sourced) wipeOne(hosts []*cluster.Host) {
	s.Helper()
	for _, h := range hosts[:3] {
		h.Kill()
	}
	removeAll(s.T, hosts[0].DataDir+"/member") // its record stays, spent
	s.wantWait(s.ask(hosts[0]), "founder-lost-disk")
	hosts[0].Wipe()
	s.bring(resume, hosts[2])
	s.answers(hosts[2])
	s.wantWait(s.ask(hosts[0]), "no-quorum")
	hosts[1].Resume()
	s.lab.WaitLeader(hosts[1], hosts[2])
	if out := s.bring("join-listed", hosts[0]); !strings.Contains(out, "=existing") {
		s.Fatalf("told %s", out)
	}
	s.lab.WaitHealthy(3, hosts[:3]...)
	s.wantKey(hosts[0], "value")
}

// answers waits until a member answers its peers, with a quorum or without.
func (s *sourced) answers(h *cluster.Host) {
	s.Helper()
	s.lab.WaitFor(h.Name+" to answer", func(ctx context.Context) error {
		_, err := get(ctx, h.PeerURL()+"/members")
		return err
	})
}

// TestSourcesStaticHints: without the admin's word a list founds nothing, and
// leads to a cluster that is there.
func TestSourcesStaticHints(t *testing.T) {
	s := newSourced(t)
	hosts := s.lab.Hosts(4, "3.6")
	s.source = []string{"-initial-cluster=" + cluster.InitialCluster(hosts[:3]...)}
	s.wantWait(s.ask(hosts[0]), "unreachable")
	s.lab.Found(hosts[:3]...)
	s.bring("join-listed", hosts[3], "-cluster-size=4")
	s.lab.WaitHealthy(4, hosts...)
	hosts[0].Kill()
	s.bring(resume, hosts[0])
	s.lab.WaitHealthy(4, hosts...)
}

// TestSourcesStaticTogether: all hosts boot at once with one list, and one
// more that is not in it.
func TestSourcesStaticTogether(t *testing.T) {
	s := newSourced(t)
	hosts := s.lab.Hosts(4, "3.7")
	s.source = static(hosts[:3])
	surplus := s.ask(hosts[3])
	s.all(founding, hosts[:3]...)
	s.lab.WaitHealthy(3, hosts[:3]...)
	for _, h := range hosts[:3] {
		if told := s.told[h]; strings.Contains(told, "=new") && !strings.Contains(told, cluster.InitialCluster(hosts[:3]...)+" -initial-cluster-state=new -initial-cluster-token=static") {
			t.Errorf("%s was not told the list as it was given: %s", h.Name, told)
		}
	}
	s.want(surplus.Wait(), 75, "full")
}
