package joiner

import (
	"testing"
	"time"
)

// watchOver feeds a ledger one observation a second and returns the health of
// the last member after them.
func watchOver(l *Ledger, moments []Cluster) Health {
	at := time.Unix(0, 0)
	var h Health
	for _, c := range moments {
		l.Note(at, &c)
		at = at.Add(time.Second)
		h = c.Members[len(c.Members)-1].Health
	}
	return h
}

// moment is a cluster of three at log entry n; the third member is at m.
func moment(n, m uint64, reached string) Cluster {
	c := cluster("healthy healthy dead")
	for i := range c.Members {
		c.Members[i].Health = Health{Match: n, Following: true, Reached: "x"}
	}
	c.Members[2].Health = Health{Match: m, Following: m == n, Reached: reached}
	return c
}

func TestLedger(t *testing.T) {
	change := func(c Cluster, f func(*Cluster)) Cluster { f(&c); return c }
	for _, c := range []struct {
		name            string
		moments         []Cluster
		silent, stalled time.Duration
	}{
		{"silent and stalled all along", []Cluster{moment(10, 5, ""), moment(11, 5, ""), moment(12, 5, "")}, 2 * time.Second, 2 * time.Second},
		{"it moved once", []Cluster{moment(10, 5, ""), moment(11, 6, ""), moment(12, 6, "")}, 2 * time.Second, time.Second},
		{"it answered once", []Cluster{moment(10, 5, ""), moment(11, 5, "x"), moment(12, 5, "")}, 0, 2 * time.Second},
		{"it answered unclearly once", []Cluster{moment(10, 5, ""), change(moment(11, 5, ""), func(c *Cluster) { c.Members[2].Health.Unclear = "tls" }), moment(12, 5, "")}, 0, 2 * time.Second},
		{"nobody's log moved", []Cluster{moment(10, 5, ""), moment(10, 5, ""), moment(10, 5, "")}, 2 * time.Second, 0},
		{"the quorum's log stood still once", []Cluster{moment(10, 5, ""), moment(10, 5, ""), moment(11, 5, "")}, 2 * time.Second, time.Second},
		{"another leader", []Cluster{moment(10, 5, ""), moment(11, 5, ""), change(moment(12, 5, ""), func(c *Cluster) { c.Leader = founderID(2) })}, 2 * time.Second, 0},
		{"another term", []Cluster{moment(10, 5, ""), moment(11, 5, ""), change(moment(12, 5, ""), func(c *Cluster) { c.Term++ })}, 2 * time.Second, 0},
		{"no evidence for a moment", []Cluster{moment(10, 5, ""), change(moment(11, 5, ""), noProof), moment(12, 5, "")}, 2 * time.Second, time.Second},
		{"another cluster", []Cluster{change(moment(10, 5, ""), func(c *Cluster) { c.ID = 7 }), moment(11, 5, ""), moment(12, 5, "")}, time.Second, time.Second},
		{"it gets a snapshot", []Cluster{moment(10, 0, ""), change(moment(11, 0, ""), func(c *Cluster) { c.Members[2].Health.Receiving = true }), moment(12, 0, "")}, 2 * time.Second, time.Second},
		{"it follows", []Cluster{moment(10, 10, ""), moment(10, 10, ""), moment(10, 10, "")}, 2 * time.Second, 0},
	} {
		h := watchOver(&Ledger{}, c.moments)
		if h.Silent != Duration(c.silent) || h.Stalled != Duration(c.stalled) {
			t.Errorf("%s: silent %s, stalled %s; want %s, %s", c.name, h.Silent, h.Stalled, c.silent, c.stalled)
		}
	}
}

// What happened in a gap nobody saw, so a window does not span it.
func TestLedgerStartsAnewAfterAGap(t *testing.T) {
	var l Ledger
	watchOver(&l, []Cluster{moment(10, 5, ""), moment(11, 5, "")})
	late := moment(12, 5, "")
	l.Note(time.Unix(2, 0).Add(maxGap), &late)
	if h := late.Members[2].Health; h.Silent != 0 || h.Stalled != 0 {
		t.Errorf("after a gap: silent %s, stalled %s; want 0, 0", h.Silent, h.Stalled)
	}
}

// An entry that does not start is watched on while somebody tries.
func TestLedgerUnstarted(t *testing.T) {
	entry := func(change ...func(*Member)) Cluster {
		c := cluster("healthy healthy", intent(3), alsoMember(member(3, "added")))
		for _, f := range change {
			f(&c.Members[2])
		}
		return c
	}
	for name, c := range map[string]struct {
		between Cluster
		want    time.Duration
	}{
		"nothing is seen of it": {entry(), 2 * time.Second},
		"it answered once":      {entry(func(m *Member) { m.Health.Reached = "x" }), time.Second},
		"it gets a snapshot":    {entry(func(m *Member) { m.Health.Receiving = true }), time.Second},
		"it got an entry":       {entry(func(m *Member) { m.Health.Match = 1 }), 0},
		"it started":            {entry(func(m *Member) { m.ClientURLs = []string{"x"} }), time.Second},
	} {
		h := watchOver(&Ledger{}, []Cluster{entry(), c.between, entry()})
		if h.Unstarted != Duration(c.want) || h.Silent != 0 {
			t.Errorf("%s: not started for %s, silent for %s; want %s", name, h.Unstarted, h.Silent, c.want)
		}
	}
}
