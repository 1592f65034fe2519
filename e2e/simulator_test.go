package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/joiner/simulator"
)

// TestSimulatorVerdicts holds real servers to the table that the simulator is
// held to. Each version takes its share of the rows, and what lies on the way;
// with ELASTIC_ETCD_ENUMERATE each takes all.
func TestSimulatorVerdicts(t *testing.T) {
	_, rows, err := simulator.Rows()
	if err != nil {
		t.Fatal(err)
	}
	rows = slices.DeleteFunc(rows, func(r simulator.Row) bool { return !playable(r) })
	for i, full := range etcds.Versions() {
		version, err := simulator.ParseVersion(full)
		if err != nil {
			t.Fatal(err)
		}
		walks := simulator.Walks(version, rows, func(r simulator.Row) bool { return sweeps() || shareOf(r) == i })
		for several := range slices.Chunk(walks, 4) {
			t.Run(full+"/"+lastLines(several), func(t *testing.T) {
				t.Parallel()
				walkTogether(t, full, several)
			})
		}
	}
}

// walkTogether takes several walks at once: most of their time is spent on
// connections getting old.
func walkTogether(t *testing.T, version string, walks []simulator.Walk) {
	var wg sync.WaitGroup
	for _, walk := range walks {
		wg.Go(func() {
			var log strings.Builder
			err := walkInTime(t, &log, version, walk)
			t.Logf("to line %d:\n%s", lastLine(walk), log.String())
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// walkInTime begins anew where the machine was too slow: what is true of young
// connections can only be asked before they are old.
func walkInTime(t *testing.T, log *strings.Builder, version string, walk simulator.Walk) error {
	for range 3 {
		late := false
		if err := cluster.Script(t.Context(), log, func(s cluster.T) { late = newReplay(s, version).walk(walk) }); err != nil || !late {
			return err
		}
	}
	return fmt.Errorf("to line %d: too late three times: the machine is too busy", lastLine(walk))
}

func lastLines(walks []simulator.Walk) string {
	lines := make([]string, len(walks))
	for i, walk := range walks {
		lines[i] = fmt.Sprintf("line%d", lastLine(walk))
	}
	return strings.Join(lines, "+")
}

// sweeps tells whether the long run is wanted.
func sweeps() bool { return os.Getenv("ELASTIC_ETCD_ENUMERATE") != "" }

// playable tells whether the lab can do all of the row: it cannot cut a host
// off.
func playable(r simulator.Row) bool {
	return !slices.ContainsFunc(r.Situation, func(s simulator.Step) bool { return s.Verb == "cut" })
}

// shareOf is the version that takes the row: what 2.3 has no word for goes to
// another.
func shareOf(r simulator.Row) int {
	i := r.Line % len(etcds.Versions())
	if full := etcds.Versions()[i]; etcds.Minor(full) == "2.3" {
		if v, _ := simulator.ParseVersion(full); r.Verdicts[v] == "-" {
			return i + 1
		}
	}
	return i
}

func lastLine(walk simulator.Walk) int {
	line := 0
	for _, m := range walk {
		if m.Line != 0 {
			line = m.Line
		}
	}
	return line
}

// replay does with real servers what a simulated cluster does.
type replay struct {
	cluster.T
	lab     *cluster.Lab
	version string
	hosts   []*cluster.Host // by the numbers of the members, from 0
	ids     []uint64
	sim     *simulator.Cluster
	links   map[[2]string]time.Time // since when one host was seen connected to another
	young   time.Time               // since when connections may be; zero: they are old
}

func newReplay(t cluster.T, version string) *replay {
	return &replay{T: t, lab: cluster.New(t), version: version, links: map[[2]string]time.Time{}}
}

// walk goes all the way, unless it was late.
func (r *replay) walk(walk simulator.Walk) (late bool) {
	r.Helper()
	var after []simulator.Step
	for _, m := range walk {
		switch {
		case m.Rests():
			r.rest()
			r.young = time.Time{}
		case m.Step.Changes():
			got := r.ask(m.Step)
			if got != m.Verdict && !r.young.IsZero() && time.Since(r.young) >= simulator.HealthInterval {
				return true
			}
			if got != m.Verdict {
				r.Fatalf("line %d: after %s: %s is %q, want %q", m.Line, simulator.Steps(after), m.Step, got, m.Verdict)
			}
		default:
			r.young = time.Now()
			r.happens(m.Step)
		}
		if !m.Rests() {
			after = append(after, m.Step)
		}
	}
	return false
}

// happens lets an event happen to the real cluster and to the simulated one.
func (r *replay) happens(s simulator.Step) {
	r.Helper()
	if s.Just = true; s.Verb == "found" {
		r.found(s)
		return
	}
	switch h := r.hosts[s.N-1]; s.Verb {
	case "kill":
		h.Kill()
	case "freeze":
		h.Freeze()
	case "thaw":
		h.Thaw()
	case "start":
		r.start(h)
	default:
		r.Fatalf("no event on real servers: %s", s)
	}
	_ = r.sim.Play(s)
	if m := r.sim.Member(joiner.ID(s.N)); s.Verb == "start" && r.sim.HasQuorum() {
		r.settles(m) // it takes a moment to listen
	}
}

func (r *replay) found(s simulator.Step) {
	r.Helper()
	r.hosts = r.lab.Hosts(s.N, r.version)
	for _, h := range r.hosts {
		r.launch(h, "--initial-cluster="+cluster.InitialCluster(r.hosts...), "--initial-cluster-state=new")
	}
	r.lab.WaitHealthy(s.N, r.hosts...)
	leader := slices.Index(r.hosts, r.lab.WaitLeader(r.hosts...))
	r.hosts[0], r.hosts[leader] = r.hosts[leader], r.hosts[0]
	members := r.hosts[0].Membership()
	for _, h := range r.hosts {
		m, _ := members.Of(h)
		r.ids = append(r.ids, m.ID)
	}
	version, err := simulator.ParseVersion(r.version)
	if err != nil {
		r.Fatalf("%v", err)
	}
	r.sim = simulator.Found(version, s)
}

// launch starts etcd as every version since 3.1 is: with strict checks.
func (r *replay) launch(h *cluster.Host, more ...string) {
	r.Helper()
	h.Start(append(append(h.IdentityFlags(), "--strict-reconfig-check"), more...)...)
}

// start starts a host again, or for the first time as the member it was added
// as.
func (r *replay) start(h *cluster.Host) {
	r.Helper()
	if h.Etcd() != nil {
		r.launch(h)
		return
	}
	var listed []*cluster.Host
	for i, h := range r.hosts {
		if r.sim.Member(joiner.ID(i+1)) != nil {
			listed = append(listed, h)
		}
	}
	r.launch(h, "--initial-cluster="+cluster.InitialCluster(listed...), "--initial-cluster-state=existing")
}

// host is the real one of a simulated member.
func (r *replay) host(m *simulator.Member) *cluster.Host { return r.hosts[m.ID-1] }

// healthy are the members that run.
func (r *replay) healthy() (list []*simulator.Member) {
	for i := range r.sim.Members {
		if m := &r.sim.Members[i]; m.State == simulator.Healthy {
			list = append(list, m)
		}
	}
	return list
}

// rest waits until the real cluster is seen to be as the simulated one is
// after a while.
func (r *replay) rest() {
	r.Helper()
	for _, m := range r.healthy() {
		r.settles(m)
	}
	r.sim.Pass(simulator.HealthInterval)
	r.lab.WaitFor("the connections that are expected", func(ctx context.Context) error { return r.checkLinks(ctx) })
	if r.sim.HasQuorum() {
		r.sim.Elect(r.member(r.leader()))
	}
}

// settles waits until a member serves, or without a quorum knows no leader.
func (r *replay) settles(m *simulator.Member) {
	r.Helper()
	h := r.host(m)
	if !r.sim.HasQuorum() {
		r.lab.WaitFor(h.Name+" to have no quorum", func(ctx context.Context) error { return r.noQuorum(ctx, h) })
		return
	}
	r.lab.WaitFor(h.Name+" to serve", func(ctx context.Context) error {
		status, err := h.TryStatus(ctx)
		switch {
		case err != nil:
			return err
		case status.Leader == 0:
			return errors.New("it knows no leader")
		case m.Learner:
			return nil // it serves no linearizable reads
		}
		_, _, err = h.TryGet(ctx, "key")
		return err
	})
}

// noQuorum tells whether the quorum is gone. A leader of etcd 2.3 stays one
// without it, so there only a read tells that is not answered.
func (r *replay) noQuorum(ctx context.Context, h *cluster.Host) error {
	if r.isV2() {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, _, err := h.TryGet(ctx, "key"); err == nil {
			return errors.New("it serves reads")
		}
		return nil
	}
	status, err := h.TryStatus(ctx)
	if err == nil && status.Leader != 0 {
		err = fmt.Errorf("the leader is %x", status.Leader)
	}
	return err
}

func (r *replay) isV2() bool { return strings.HasPrefix(r.version, "2.") }

// leader is the one that the healthy voters follow.
func (r *replay) leader() *cluster.Host {
	r.Helper()
	var voters []*cluster.Host
	for _, m := range r.healthy() {
		if !m.Learner {
			voters = append(voters, r.host(m))
		}
	}
	return r.lab.WaitLeader(voters...)
}

func (r *replay) member(h *cluster.Host) joiner.ID {
	return joiner.ID(slices.Index(r.hosts, h) + 1)
}

// linkAge is a little more than what etcd wants of a connection.
const linkAge = simulator.HealthInterval + 300*time.Millisecond

// checkLinks holds the connections that the voters have to those that they
// have in the simulator, and wants them to have been seen for long enough.
// Etcd 2.3 neither shows nor counts them.
func (r *replay) checkLinks(ctx context.Context) error {
	if r.isV2() {
		return nil
	}
	for _, age := range r.links {
		if time.Since(age) < linkAge {
			return errors.New("a connection is young")
		}
	}
	var errs []error
	for _, m := range r.healthy() {
		errs = append(errs, r.checkLinksOf(ctx, m))
	}
	return errors.Join(errs...)
}

func (r *replay) checkLinksOf(ctx context.Context, at *simulator.Member) error {
	active, err := activePeers(ctx, r.host(at))
	if err != nil {
		return err
	}
	var errs []error
	for i := range r.sim.Members {
		if m := &r.sim.Members[i]; m.ID != at.ID {
			errs = append(errs, r.noteLink(at, m, active[r.ids[m.ID-1]]))
		}
	}
	return errors.Join(errs...)
}

func (r *replay) noteLink(at, m *simulator.Member, active bool) error {
	link := [2]string{r.host(at).Name, r.host(m).Name}
	_, known := r.links[link]
	switch {
	case !active:
		delete(r.links, link)
	case !known:
		r.links[link] = time.Now()
		return fmt.Errorf("%s is just connected", link)
	}
	if want := r.sim.Active(at, m); want != active {
		return fmt.Errorf("%s is connected: %v, want %v", link, active, want)
	}
	return nil
}

var activePeer = regexp.MustCompile(`(?m)^etcd_network_active_peers\{.*Remote="([0-9a-f]+)"\} ([0-9]+)$`)

// activePeers are the members that an etcd counts as connected.
func activePeers(ctx context.Context, h *cluster.Host) (map[uint64]bool, error) {
	text, err := get(ctx, h.ClientURL()+"/metrics")
	if err != nil {
		return nil, err
	}
	active := map[uint64]bool{}
	for _, match := range activePeer.FindAllStringSubmatch(text, -1) {
		id, err := strconv.ParseUint(match[1], 16, 64)
		if err != nil {
			return nil, err
		}
		active[id] = match[2] != "0"
	}
	return active, nil
}

// ask asks for a change, here and there, and gives the verdict of the real
// cluster. Members and quorum of both must be the same afterwards.
func (r *replay) ask(s simulator.Step) string {
	r.Helper()
	at := r.asked(s)
	id, url := r.target(s)
	verdict := r.request(s, at, id, url)
	simulated := r.sim.Ask(s)
	went := verdict == "ok"
	if went && !r.sim.HasQuorum() {
		verdict = "ok lost"
	}
	r.Logf("%s: %s (simulated: %s)", s, verdict, simulated)
	if verdict != simulated {
		return verdict
	}
	if went {
		r.done()
	}
	r.sameMembers(s)
	return verdict
}

// asked is the host that the change is asked of.
func (r *replay) asked(s simulator.Step) *cluster.Host {
	switch {
	case s.Via != 0:
		return r.hosts[s.Via-1]
	case r.sim.Leader != 0:
		return r.hosts[r.sim.Leader-1]
	}
	for _, m := range r.healthy() {
		if !m.Learner {
			return r.host(m)
		}
	}
	r.Fatalf("nobody can be asked: %s", s)
	return nil
}

// target is what the change is about: the ID of a member, a URL for it.
func (r *replay) target(s simulator.Step) (id uint64, url string) {
	id = 1 // nobody's
	if 0 < s.N && s.N <= len(r.ids) {
		id = r.ids[s.N-1]
	}
	known := s.URL
	if s.Verb == "add" {
		known = s.N
	}
	if known != 0 {
		return id, r.hosts[known-1].PeerURL()
	}
	return id, ""
}

// patience is how long an answer is waited for: without a quorum there is none.
func (r *replay) patience() time.Duration {
	if r.sim.HasQuorum() {
		return 20 * time.Second
	}
	return 2 * time.Second
}

func (r *replay) request(s simulator.Step, at *cluster.Host, id uint64, url string) string {
	r.Helper()
	if url == "" && (s.Verb == "add" || s.Verb == "update") {
		fresh := r.lab.Host(r.version)
		url = fresh.PeerURL()
		if s.Verb == "add" {
			r.hosts = append(r.hosts, fresh)
			defer func() { r.hosts = r.hosts[:len(r.ids)] }()
		}
	}
	log := len(at.Log())
	ctx, cancel := context.WithTimeout(context.Background(), r.patience())
	defer cancel()
	added, err := r.call(ctx, s, at, id, url)
	verdict := verdictOf(err, at.Log()[log:])
	if s.Verb == "add" && verdict == "ok" {
		r.ids = append(r.ids, added)
	}
	return verdict
}

// call asks once. The clients of the harness try again where that helps.
func (r *replay) call(ctx context.Context, s simulator.Step, at *cluster.Host, id uint64, url string) (added uint64, err error) {
	if r.isV2() {
		return callV2(ctx, s, at, id, url)
	}
	c := at.Client()
	switch {
	case s.Verb == "add" && s.What == "learner":
		return at.TryAddLearner(ctx, url)
	case s.Verb == "add":
		return at.TryAdd(ctx, url)
	case s.Verb == "remove":
		_, err = c.MemberRemove(ctx, id)
	case s.Verb == "promote":
		_, err = c.MemberPromote(ctx, id)
	case s.Verb == "update":
		_, err = c.MemberUpdate(ctx, id, []string{url})
	}
	return 0, err
}

func callV2(ctx context.Context, s simulator.Step, at *cluster.Host, id uint64, url string) (uint64, error) {
	switch s.Verb {
	case "add":
		return at.TryAdd(ctx, url)
	case "remove":
		return 0, at.TryRemove(ctx, id)
	}
	body := fmt.Sprintf(`{"peerURLs":[%q]}`, url)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, fmt.Sprintf("%s/v2/members/%x", at.ClientURL(), id), strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err == nil && res.StatusCode != http.StatusNoContent {
		err = errors.New(res.Status)
	}
	return 0, err
}

// answers are etcd's words for its verdicts: v3 by the messages, v2 by the
// codes.
var answers = []struct{ words, verdict string }{
	{"unhealthy cluster", "unhealthy"},
	{"not enough started members", "few"},
	{"too many learner members", "many"},
	{"in sync with leader", "notready"},
	{"can only promote a learner", "voter"},
	{"Peer URLs already exists", "exists"},
	{"409 Conflict", "exists"},
	{"member not found", "notfound"},
	{"404 Not Found", "notfound"},
	{"410 Gone", "removed"},
	{"context deadline exceeded", "timeout"},
	{"request timed out", "timeout"},
	{"no leader", "timeout"},
}

// verdictOf classifies an answer. Etcd 2.3 says why it refuses in its log
// only, and "server stopped" is what one says that just took itself out.
func verdictOf(err error, log string) string {
	switch {
	case err == nil, strings.Contains(err.Error(), "server stopped"):
		return "ok"
	case strings.Contains(err.Error(), "500 Internal") && strings.Contains(log, "Reject "):
		return "few"
	}
	for _, a := range answers {
		if strings.Contains(err.Error(), a.words) {
			return a.verdict
		}
	}
	return err.Error()
}

// done waits for the quorum that is left, or for its end.
func (r *replay) done() {
	r.Helper()
	for _, m := range r.healthy() {
		r.settles(m)
	}
	if r.sim.HasQuorum() {
		r.sim.Elect(r.member(r.leader()))
	}
}

// sameMembers compares the list that the members keep by themselves.
func (r *replay) sameMembers(s simulator.Step) {
	r.Helper()
	want := r.simulated()
	for _, m := range r.healthy() {
		h := r.host(m)
		r.lab.WaitFor(fmt.Sprintf("%s to list the members after %s", h.Name, s), func(ctx context.Context) error {
			text, err := get(ctx, h.PeerURL()+"/members")
			if err != nil {
				return err
			}
			var list []struct {
				ID        uint64 `json:"id"`
				IsLearner bool   `json:"isLearner"`
			}
			err = json.Unmarshal([]byte(text), &list)
			got := map[uint64]bool{}
			for _, m := range list {
				got[m.ID] = m.IsLearner
			}
			return errors.Join(err, differs("members", fmt.Sprint(got), fmt.Sprint(want)))
		})
	}
}

// simulated are the real IDs of the simulated members: learner or not.
func (r *replay) simulated() map[uint64]bool {
	list := map[uint64]bool{}
	for _, m := range r.sim.Members {
		list[r.ids[m.ID-1]] = m.Learner
	}
	return list
}

// TestSimulatorRandom compares simulator and servers step by step through
// random sequences. ELASTIC_ETCD_SEED repeats one.
func TestSimulatorRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("ELASTIC_ETCD_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	sequences := 2
	if sweeps() {
		sequences = 24
	}
	for i := range uint64(sequences) {
		t.Run(fmt.Sprintf("ELASTIC_ETCD_SEED=%d", seed+i), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed+i, 0))
			versions := etcds.Versions()
			r := newReplay(t, versions[rnd.IntN(len(versions))])
			r.random(rnd, 6)
		})
	}
}

func (r *replay) random(rnd *rand.Rand, length int) {
	r.Helper()
	r.happens(simulator.Step{Verb: "found", N: 1 + rnd.IntN(4)})
	r.Logf("etcd %s, %d members", r.version, len(r.hosts))
	r.rest()
	for range length {
		s, found := r.sim.RandomStep(rnd)
		if !found {
			return
		}
		if !s.Changes() {
			r.Logf("%s", s)
			r.happens(s)
		} else if want, got := r.sim.Clone().Ask(s), r.ask(s); want != got {
			r.Fatalf("%s is %q, simulated %q", s, got, want)
		}
		r.rest()
	}
}
