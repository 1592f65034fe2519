package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/netns"
)

const chaosSeed = "ELASTIC_ETCD_CHAOS_SEED"

// TestChaos lets hosts found, grow and replace while everything breaks, at
// random. When it stops breaking there are exactly as many members as there
// are to be, all healthy, and nothing that was acknowledged is lost. make
// chaos does more rounds; a round is repeated by its seed.
func TestChaos(t *testing.T) {
	t.Parallel()
	rounds, seed := 2, uint64(1)
	if long() {
		rounds, seed = number(t, chaosRounds), uint64(time.Now().UnixNano()%1e6)
	}
	if os.Getenv(chaosSeed) != "" {
		seed = uint64(number(t, chaosSeed))
	}
	for i := range rounds {
		t.Run(fmt.Sprint("seed ", seed+uint64(i)), func(t *testing.T) { chaosRound(t, seed+uint64(i)) })
	}
}

func number(t *testing.T, variable string) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(variable))
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// chaos is one round.
type chaos struct {
	*site
	net     *cluster.Net
	random  *rand.Rand
	nodes   []*node
	size    int
	learner string
	auth    bool
	access  []string // how elastic-etcd gets at the cluster
	load    *load
	undo    []func()
	done    []string // the faults, for the log
}

// crowd is how many hosts want into a cluster, and its size.
type crowd struct{ hosts, size int }

func chaosRound(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	crowds := []crowd{{3, 3}, {5, 5}, {5, 3}}
	if long() {
		crowds = append(crowds, crowd{12, 5}, crowd{12, 7})
	}
	of := crowds[random.IntN(len(crowds))]
	s, n := newNetSite(t, of.size)
	c := &chaos{site: s, net: n, random: random, size: of.size}
	version := allVersions[random.IntN(len(allVersions))]
	c.learner = []string{"auto", "always"}[random.IntN(2)]
	if version == "2.3" {
		c.learner = "auto"
	}
	security := []string{"open", "TLS", "auth"}[random.IntN(3)]
	if version == "2.3" && security == "auth" {
		security = "open" // it hashes the password for every request: that is a test of the CPU
	}
	c.secure(security)
	t.Logf("seed %d (%s): %d hosts with etcd %s, %s, size %d, learner %s", seed, chaosSeed, of.hosts, version, security, of.size, c.learner)
	for _, h := range s.lab.Hosts(of.hosts, version) {
		c.nodes = append(c.nodes, &node{s: s, h: h, flags: c.hostFlags})
	}
	c.live()
}

// secure is for before there is a host.
func (c *chaos) secure(how string) {
	switch how {
	case "TLS":
		c.lab.Secure()
		c.access = tlsFlags(c.lab.ClientCerts())
	case "auth":
		c.auth = true
		c.access = as(c.T, cluster.Root)
	}
}

func (c *chaos) hostFlags() []string {
	return append([]string{"-timeout=30s", fmt.Sprint("-cluster-size=", c.size), "-learner=" + c.learner}, c.access...)
}

func (c *chaos) live() {
	c.Helper()
	defer func() { c.Logf("faults: %s", strings.Join(c.done, ", ")) }()
	c.founding()
	c.during(c.chaosTime())
	c.settle("after the faults")
	if spare := len(c.nodes) - c.size; spare >= 2 {
		c.size += 2
		c.during(c.chaosTime() / 2)
		c.settle("grown")
	}
	c.end()
}

func (c *chaos) chaosTime() time.Duration {
	if long() {
		return 30 * time.Second
	}
	return 8 * time.Second
}

// founding breaks only what comes back as it was: a disk that is lost before
// there is a cluster is for a human.
func (c *chaos) founding() {
	c.Helper()
	c.loop(3*time.Second, func() bool { c.maybe(c.gentle()); return false })
	c.settle("founded")
	if c.auth {
		c.members()[0].EnableAuth()
	}
	c.load = c.startLoad(c.hosts())
}

func (c *chaos) during(d time.Duration) {
	c.Helper()
	c.loop(d, func() bool { c.maybe(append(c.gentle(), c.wipe)); return false })
}

// loop moves all machines on until f is true, and says whether it was.
func (c *chaos) loop(d time.Duration, f func() bool) bool {
	c.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
		for _, m := range c.nodes {
			m.step()
		}
		if f() {
			return true
		}
	}
	return false
}

// settleTime is the time of an intent that nobody ends, and then some: here
// all of it happens on few cores.
const settleTime = 4 * time.Minute

// settle ends all faults and waits for the cluster as it is to be.
func (c *chaos) settle(when string) {
	c.Helper()
	c.mend()
	start := time.Now()
	var err error
	if c.loop(settleTime, func() bool { err = c.check(); return err == nil }) {
		c.Logf("%s: settled within %v", when, time.Since(start).Round(time.Second/10))
		return
	}
	for _, m := range c.nodes {
		c.Logf("%s", m)
	}
	c.Fatalf("%s: it does not settle: %v", when, err)
}

func (c *chaos) mend() {
	for _, undo := range c.undo {
		undo()
	}
	c.undo = nil
	c.net.Heal()
}

// check asks everybody who runs.
func (c *chaos) check() error {
	ctx, cancel := context.WithTimeout(c.Context(), 3*time.Second)
	defer cancel()
	members := c.members()
	if len(members) != c.size {
		return fmt.Errorf("%d etcds run", len(members))
	}
	return cluster.CheckHealthy(ctx, c.size, members...)
}

func (c *chaos) hosts() []*cluster.Host {
	var list []*cluster.Host
	for _, m := range c.nodes {
		list = append(list, m.h)
	}
	return list
}

func (c *chaos) members() []*cluster.Host {
	var list []*cluster.Host
	for _, h := range c.hosts() {
		if h.Running() {
			list = append(list, h)
		}
	}
	return list
}

func (c *chaos) end() {
	c.Helper()
	members := c.members()
	c.lab.WaitHealthy(c.size, members...)
	c.load.end(members...)
	for _, h := range c.hosts() {
		if strings.Contains(h.Log(), "is out of range [lastIndex") {
			c.Fatalf("%s came back without its log", h.Name)
		}
	}
}

// maybe breaks something about twice a second.
func (c *chaos) maybe(faults []func(*node) string) {
	if c.random.IntN(10) > 0 {
		return
	}
	if c.random.IntN(3) == 0 {
		c.mend()
	}
	m := c.nodes[c.random.IntN(len(c.nodes))]
	if what := faults[c.random.IntN(len(faults))](m); what != "" {
		c.done = append(c.done, m.h.Name+" "+what)
	}
}

func (c *chaos) gentle() []func(*node) string {
	return []func(*node) string{c.kill, c.killElastic, c.freeze, c.cut, c.lossy}
}

func (c *chaos) kill(m *node) string {
	if !m.h.Running() {
		return ""
	}
	m.h.Kill()
	return "killed"
}

func (c *chaos) killElastic(m *node) string {
	for _, run := range []*cluster.Running{m.run, m.promotion} {
		if run != nil && run.Running() {
			_ = syscall.Kill(run.Pid(), syscall.SIGKILL)
			return "elastic-etcd killed"
		}
	}
	return ""
}

// freeze is for etcd or, where it does not run, for elastic-etcd.
func (c *chaos) freeze(m *node) string {
	what, p := "frozen", m.h.Etcd()
	if m.run != nil {
		what, p = "elastic-etcd frozen", m.run.Process
	}
	if p == nil || p.TryFreeze() != nil {
		return ""
	}
	c.undo = append(c.undo, func() { _ = p.TryThaw() })
	return what
}

func (c *chaos) cut(m *node) string {
	p := c.net.Port(m.h)
	switch c.random.IntN(3) {
	case 0:
		c.net.Into(p, netns.Cut)
		return "deaf"
	case 1:
		c.net.OutOf(p, netns.Cut)
		return "mute"
	}
	c.net.Around(p, netns.Cut)
	return "cut off"
}

func (c *chaos) lossy(m *node) string {
	c.net.Around(c.net.Port(m.h), netns.Link{Loss: 0.3, Delay: 5 * time.Millisecond})
	return "loses packets"
}

// wipe takes a disk where all others are well, and one at a time: two are more
// than a cluster of three is made for.
func (c *chaos) wipe(m *node) string {
	if !m.h.Running() {
		return ""
	}
	c.mend()
	if c.check() != nil {
		return ""
	}
	m.h.Kill()
	m.h.Wipe()
	return "wiped"
}
