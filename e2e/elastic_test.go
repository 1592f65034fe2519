package e2e

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// site is a lab with a discovery service and one token.
type site struct {
	*testing.T
	lab   *cluster.Lab
	disco *cluster.Discovery
	token string
	told  map[*cluster.Host]string // what each founder's etcd was told
}

func newSite(t *testing.T, size int) *site {
	t.Helper()
	t.Parallel()
	lab := cluster.New(t)
	return newSiteIn(t, lab, size)
}

func newSiteIn(t *testing.T, lab *cluster.Lab, size int) *site {
	t.Helper()
	disco := lab.StartDiscovery()
	return &site{T: t, lab: lab, disco: disco, token: disco.NewToken(size), told: map[*cluster.Host]string{}}
}

// flags are what every host gives elastic-etcd here: short windows, and which
// etcd it has.
func (s *site) flags(h *cluster.Host, more ...string) []string {
	s.Helper()
	binary, err := etcds.Binary(h.Version)
	if err != nil {
		s.Fatal(err)
	}
	return append([]string{"-discovery=" + s.token, "-etcd-binary=" + binary, "-dead-after=3s", "-timeout=90s", "-v=2"}, more...)
}

// command starts a command of elastic-etcd about a host.
func (s *site) command(name string, h *cluster.Host, more ...string) *cluster.Running {
	s.Helper()
	return s.lab.ElasticStart(cluster.Command{Args: slices.Concat([]string{name}, h.IdentityFlags(), s.flags(h, more...))})
}

func (s *site) elastic(h *cluster.Host, more ...string) cluster.Result {
	s.Helper()
	return s.start(h, more...).Wait()
}

// boot is what a host does when it comes up: ask elastic-etcd, start etcd with
// what it says.
func (s *site) boot(reason string, h *cluster.Host, more ...string) string {
	s.Helper()
	r := s.elastic(h, more...)
	s.want(r, 0, reason)
	h.StartWith(r.Stdout)
	return r.Stdout
}

// resume is any reason to go on with the data that is there: whether a quorum
// can be asked depends on how far the other hosts are.
const resume = "resume-member or resume-unconfirmed"

// founding is any reason by which a founder starts its etcd: one that comes
// late finds that the others have a quorum already.
const founding = "found or join-listed"

// want checks how a run ended. A run that fails prints no configuration.
func (s *site) want(r cluster.Result, code int, reason string) {
	s.Helper()
	said := func(reason string) bool { return strings.Contains(r.Stderr, "reason="+reason+" ") }
	if r.Code != code || !slices.ContainsFunc(strings.Split(reason, " or "), said) {
		s.Fatalf("want exit code %d, reason %s; got %s", code, reason, r)
	}
	if (r.Stdout == "") != (code != 0) {
		s.Fatalf("exit code %d with this on standard output: %q", code, r.Stdout)
	}
	if strings.Contains(r.Stderr, "panic") {
		s.Fatalf("it panicked: %s", r)
	}
}

// found boots all hosts at once and waits for their cluster.
func (s *site) found(hosts ...*cluster.Host) {
	s.Helper()
	s.foundWith(nil, hosts...)
}

// foundWith is found with more flags. Each host starts its etcd when it may:
// those that come late wait for one another.
func (s *site) foundWith(more []string, hosts ...*cluster.Host) {
	s.Helper()
	var runs []*cluster.Running
	for _, h := range hosts {
		runs = append(runs, s.start(h, more...))
	}
	for i := range s.asTheyEnd(runs) {
		r := runs[i].Wait()
		s.want(r, 0, founding)
		hosts[i].StartWith(r.Stdout)
		s.told[hosts[i]] = r.Stdout
	}
	s.lab.WaitHealthy(len(hosts), hosts...)
}

// asTheyEnd gives the numbers of the runs in the order in which they end.
func (s *site) asTheyEnd(runs []*cluster.Running) iter.Seq[int] {
	ended := make(chan int, len(runs))
	for i, run := range runs {
		go func() {
			select {
			case <-run.Done():
			case <-s.Context().Done():
			}
			ended <- i
		}()
	}
	return func(yield func(int) bool) {
		for range runs {
			if !yield(<-ended) {
				return
			}
		}
	}
}

// members starts the etcd of those hosts that may, as soon as they may, and
// wants the others to find a full cluster.
func (s *site) members(hosts []*cluster.Host, runs []*cluster.Running) (members []*cluster.Host) {
	s.Helper()
	for i := range s.asTheyEnd(runs) {
		r := runs[i].Wait()
		if r.Code != 0 {
			s.want(r, 75, "full")
			continue
		}
		s.want(r, 0, founding)
		hosts[i].StartWith(r.Stdout)
		members = append(members, hosts[i])
	}
	return members
}

// unchanged runs f and checks that the membership is the same afterwards.
func (s *site) unchanged(h *cluster.Host, f func()) {
	s.Helper()
	before := ids(h.Members())
	f()
	if after := ids(h.Members()); !slices.Equal(before, after) {
		s.Fatalf("the membership changed from %x to %x", before, after)
	}
}

func ids(members []cluster.Member) []uint64 {
	var list []uint64
	for _, m := range members {
		list = append(list, m.ID)
	}
	slices.Sort(list)
	return list
}

func (s *site) wantKey(h *cluster.Host, value string) {
	s.Helper()
	if got := h.Get("key"); got != value {
		s.Fatalf("%s: key is %q, want %q", h.Name, got, value)
	}
}

// plan gives what elastic-etcd plan says it would do.
func (s *site) plan(h *cluster.Host, more ...string) (steps []string, code int) {
	s.Helper()
	r := s.command("plan", h, append([]string{"-o=json"}, more...)...).Wait()
	var out struct {
		Plans []struct{ Step, Reason string }
	}
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil {
		s.Fatalf("plan: %v: %s", err, r)
	}
	for _, p := range out.Plans {
		steps = append(steps, p.Step+" "+p.Reason)
	}
	return steps, r.Code
}
