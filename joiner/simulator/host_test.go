package simulator

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

var v36 = Version{3, 6, 16}

func intentOf(n int) joiner.Intent {
	return joiner.Intent{Name: Name(n), PeerURLs: []string{URL(n)}, Purpose: joiner.ToJoin}
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || want == nil && got != nil {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// One intent at a time: it is created, taken over by revision, renewed by
// lease, and runs out.
func TestIntent(t *testing.T) {
	c := New(v36, 3)
	want(t, "claim", c.Claim(intentOf(4)), nil)
	want(t, "claim again", c.Claim(intentOf(5)), ErrIntentLost)
	first := *c.Intent()
	c.Pass(time.Minute)
	if left := c.Intent().Left; left != joiner.Duration(time.Minute) || first.Left != intentTime {
		t.Errorf("left: %s and %s", left, first.Left)
	}
	want(t, "renew", c.Renew(first), nil)
	other := intentOf(5)
	other.Revision = first.Revision
	want(t, "take over", c.Claim(other), nil)
	want(t, "renew what is taken over", c.Renew(first), ErrIntentLost)
	want(t, "release what is taken over", c.Release(first), nil)
	if i := c.Intent(); i == nil || i.Name != "n5" || i.Left != intentTime {
		t.Fatalf("intent: %+v", i)
	}
	c.Kill(2)
	c.Kill(3)
	c.Pass(Horizon)
	want(t, "renew without a quorum", c.Renew(*c.Intent()), ErrTimeout)
	c.Start(3)
	c.Pass(Horizon)
	if c.Intent() != nil {
		t.Errorf("it did not run out: %+v", c.Intent())
	}
}

// A step that already happened is no error, and one that rests on something
// else is one.
func TestDo(t *testing.T) {
	add := joiner.Plan{Step: joiner.StepAdd, Seen: []joiner.ID{1, 2, 3}}
	gone := joiner.Member{ID: 3, PeerURLs: []string{URL(3)}, ClientURLs: []string{"http://10.0.0.3:2379"}}
	entry := joiner.Member{ID: 4, PeerURLs: []string{URL(4)}}
	for _, d := range []struct {
		name   string
		before func(*Cluster, *Host)
		plan   joiner.Plan
		err    error
		member int
	}{
		{"add", nil, add, nil, 4},
		{"add again", func(c *Cluster, _ *Host) { _, _ = c.AddVoter(0, URL(4)) }, add, nil, 4},
		{"add to others", func(c *Cluster, _ *Host) { _, _ = c.AddVoter(0, URL(5)) }, add, ErrChanged, 4},
		{"add without an intent of ours", nil, joiner.Plan{Step: joiner.StepAdd, Intent: &joiner.Intent{Lease: 7}}, ErrIntentLost, 3},
		{"add, and nobody answers", func(_ *Cluster, h *Host) { h.Unreached = []joiner.ID{1, 2, 3} }, add, ErrUnreachable, 3},
		{"add without a quorum", func(c *Cluster, _ *Host) { c.Kill(2); c.Kill(3) }, add, ErrUnreachable, 3},
		{"add while one is dead", func(c *Cluster, _ *Host) { c.Kill(3) }, add, ErrUnhealthy, 3},
		{"remove", nil, joiner.Plan{Step: joiner.StepRemove, Member: &gone}, nil, 2},
		{"remove again", func(c *Cluster, _ *Host) { _ = c.Remove(0, 3) }, joiner.Plan{Step: joiner.StepRemove, Member: &gone}, nil, 2},
		{"remove one that moved", func(c *Cluster, _ *Host) { _ = c.Update(0, 3, URL(9)) }, joiner.Plan{Step: joiner.StepRemove, Member: &gone}, ErrChanged, 3},
		{"remove an entry that has started since", func(c *Cluster, _ *Host) { _, _ = c.AddVoter(0, URL(4)); c.Start(4) }, joiner.Plan{Step: joiner.StepRemove, Member: &entry}, ErrChanged, 4},
		{"pass the leadership on", nil, joiner.Plan{Step: joiner.StepMoveLeader, Member: &gone}, nil, 3},
		{"pass it on to a dead one", func(c *Cluster, _ *Host) { c.Kill(3) }, joiner.Plan{Step: joiner.StepMoveLeader, Member: &gone}, ErrTimeout, 3},
		{"pass it on to a learner", func(c *Cluster, _ *Host) { _, _ = c.AddLearner(0, URL(4)) }, joiner.Plan{Step: joiner.StepMoveLeader, Member: &entry}, ErrBadLeader, 4},
		{"promote a voter", nil, joiner.Plan{Step: joiner.StepPromote, Member: &gone}, nil, 3},
		{"update", nil, joiner.Plan{Step: joiner.StepUpdate, Member: &gone}, nil, 3},
		{"update one that is gone", func(c *Cluster, _ *Host) { _ = c.Remove(0, 3) }, joiner.Plan{Step: joiner.StepUpdate, Member: &gone}, ErrChanged, 2},
		{"register", nil, joiner.Plan{Step: joiner.StepRegister}, ErrNotSimulated, 3},
	} {
		t.Run(d.name, func(t *testing.T) {
			c := New(v36, 3)
			h := c.NewHost(4, joiner.Policy{})
			if d.before != nil {
				d.before(c, h)
			}
			want(t, d.name, c.Do(d.plan, h), d.err)
			if len(c.Members) != d.member {
				t.Errorf("%d members, want %d", len(c.Members), d.member)
			}
		})
	}
}

func listOf(c *Cluster) joiner.EtcdConfig {
	config := joiner.EtcdConfig{Name: "n4"}
	for _, m := range c.Members {
		config.InitialCluster = append(config.InitialCluster, joiner.Peer{Name: m.ID.String(), URLs: m.PeerURLs})
	}
	return config
}

// How a joining etcd fares.
func TestJoin(t *testing.T) {
	for _, j := range []struct {
		name    string
		version Version
		happen  func(*Cluster, *joiner.EtcdConfig)
		err     error
	}{
		{"as it should", v36, nil, nil},
		{"a dead member is listed", v36, func(c *Cluster, _ *joiner.EtcdConfig) { c.Kill(3) }, nil},
		{"a frozen member is listed", v36, func(c *Cluster, _ *joiner.EtcdConfig) { c.Freeze(3) }, nil},
		{"a frozen member is listed, 3.5", Version{3, 5, 35}, func(c *Cluster, _ *joiner.EtcdConfig) { c.Freeze(3) }, ErrHangs},
		{"one is left out", v36, func(_ *Cluster, e *joiner.EtcdConfig) { e.InitialCluster = e.InitialCluster[1:] }, ErrWrongList},
		{"two of one name", v36, func(_ *Cluster, e *joiner.EtcdConfig) { e.InitialCluster[0].Name = e.InitialCluster[1].Name }, ErrWrongList},
		{"somebody was added since", v36, func(c *Cluster, _ *joiner.EtcdConfig) { c.Pass(HealthInterval); _, _ = c.AddVoter(0, URL(5)) }, ErrWrongList},
		{"it ran before", v36, func(c *Cluster, _ *joiner.EtcdConfig) { c.Start(4); c.Kill(4) }, ErrLostLog},
		{"nobody answers", v36, func(c *Cluster, _ *joiner.EtcdConfig) { c.Kill(1); c.Kill(2); c.Kill(3) }, ErrUnreachable},
	} {
		t.Run(j.name, func(t *testing.T) {
			c := New(j.version, 3)
			_, _ = c.AddVoter(0, URL(4))
			h, config := c.NewHost(4, joiner.Policy{}), listOf(c)
			if j.happen != nil {
				j.happen(c, &config)
			}
			want(t, j.name, c.Join(h, config), j.err)
			if joined := h.Disk.MemberID == 4 && c.Member(4).Published; joined != (j.err == nil) {
				t.Errorf("joined: %v", joined)
			}
		})
	}
}

// A clone is apart from its original.
func TestClone(t *testing.T) {
	c := New(v36, 3)
	_ = c.Claim(intentOf(4))
	key := c.Key()
	d := c.Clone()
	d.Kill(3)
	d.Pass(Horizon)
	_ = d.Remove(0, 3)
	_, _ = d.AddVoter(0, URL(4))
	_ = d.Update(0, 2, URL(7))
	if c.Key() != key || d.Key() == key {
		t.Errorf("%s\n%s\n%s", key, c.Key(), d.Key())
	}
}

// Keys tell apart what behaves differently, and nothing else.
func TestKey(t *testing.T) {
	same := map[string]func(*Cluster){
		"nothing":                func(*Cluster) {},
		"long ago":               func(c *Cluster) { c.Pass(3 * Horizon) },
		"an ID more was given":   func(c *Cluster) { _, _ = c.AddVoter(0, URL(4)); _ = c.Remove(0, 4) },
		"an intent that is gone": func(c *Cluster) { _ = c.Claim(intentOf(4)); _ = c.Forget(*c.Intent()); _ = c.Release(*c.Intent()) },
	}
	other := map[string]func(*Cluster){
		"frozen": func(c *Cluster) { c.Freeze(3) }, "killed": func(c *Cluster) { c.Kill(3) },
		"cut off": func(c *Cluster) { c.CutOff(3) }, "another leader": func(c *Cluster) { c.Elect(2); c.Pass(Horizon) },
		"a learner": func(c *Cluster) { _, _ = c.AddLearner(0, URL(4)) }, "a voter": func(c *Cluster) { _, _ = c.AddVoter(0, URL(4)) },
		"an intent": func(c *Cluster) { _ = c.Claim(intentOf(4)) }, "another intent": func(c *Cluster) { _ = c.Claim(intentOf(5)) },
		"not strict": func(c *Cluster) { c.Strict = false }, "lost": func(c *Cluster) { c.Kill(2); c.Kill(3); c.Pass(Horizon) },
		"lost and owing": func(c *Cluster) { c.Kill(3); c.Kill(2); _ = c.Remove(0, 3); c.Pass(Horizon) },
		"moved":          func(c *Cluster) { _ = c.Update(0, 3, URL(7)) }, "removed": func(c *Cluster) { _ = c.Remove(0, 3) },
	}
	seen := map[string]string{}
	for name, f := range same {
		if k := keyAfter(f); seen[k] != "" || len(seen) == 0 {
			seen[k] = "the same"
		} else {
			t.Errorf("%s: another key %s", name, k)
		}
	}
	for name, f := range other {
		k := keyAfter(f)
		if seen[k] != "" {
			t.Errorf("%s: the key of %s", name, seen[k])
		}
		seen[k] = name
	}
}

func keyAfter(f func(*Cluster)) string {
	c := New(v36, 3)
	f(c)
	return c.Key()
}

// A plan that was made before is another one once its ground is gone.
func TestPlanKey(t *testing.T) {
	c := New(v36, 3)
	_ = c.Claim(intentOf(4))
	plan := joiner.Plan{Step: joiner.StepAdd, Seen: []joiner.ID{1, 2, 3}, Intent: c.Intent()}
	keys := []string{c.PlanKey(plan)}
	taken := intentOf(5)
	taken.Revision = c.Intent().Revision
	_ = c.Claim(taken)
	keys = append(keys, c.PlanKey(plan))
	_ = c.Remove(0, 3)
	if keys = append(keys, c.PlanKey(plan)); len(slices.Compact(keys)) != 3 {
		t.Errorf("%q", keys)
	}
}

func BenchmarkStep(b *testing.B) {
	c := New(v36, 3)
	c.Kill(3)
	c.Pass(Horizon)
	h := c.NewHost(4, joiner.Policy{Strategy: joiner.Replace, Size: 3})
	h.Watched = Horizon
	for b.Loop() {
		d := c.Clone()
		plan := joiner.Decide(h.Policy, d.Observe(h))
		_ = d.Do(plan, h)
		_ = d.Key()
	}
}
