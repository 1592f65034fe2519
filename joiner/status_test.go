package joiner

import "testing"

func TestStatusOf(t *testing.T) {
	for _, c := range []struct {
		name                       string
		p                          Policy
		o                          Observation
		ok                         bool
		voters, healthy, tolerance int
		self                       ID
	}{
		{"three healthy", host(1), hasData(1, cluster("healthy healthy healthy")), true, 3, 3, 1, founderID(1)},
		{"one of three dead", host(1), hasData(1, cluster("healthy healthy dead")), true, 3, 2, 0, founderID(1)},
		{"one alone", host(1), hasData(1, cluster("healthy")), true, 1, 1, 0, founderID(1)},
		{"an entry that never started counts as a voter", host(1), hasData(1, cluster("healthy healthy healthy added")), true, 4, 3, 0, founderID(1)},
		{"a learner does not count", host(4), learnerHere("healthy", cluster("healthy healthy healthy")), true, 3, 3, 1, founderID(4)},
		{"seen by a stranger", host(9), observed(cluster("healthy healthy healthy")), true, 3, 3, 1, 0},
		{"without the leader's word", host(9), observed(cluster("healthy healthy dead", noProof)), true, 3, 2, 0, 0},
		{"no quorum", host(1), hasData(1), false, 0, 0, 0, 0},
		{"two clusters", host(9), with(observed(cluster("healthy"), cluster("healthy", func(c *Cluster) { c.ID = 7 })), func(o *Observation) { o.Discovery = Discovery{} }), false, 0, 0, 0, 0},
	} {
		s, ok := StatusOf(c.p, c.o)
		if ok != c.ok || s.Voters != c.voters || s.Healthy != c.healthy || s.Tolerance != c.tolerance || s.Self != c.self {
			t.Errorf("%s: got %v, %d voters, %d healthy, tolerance %d, self %s", c.name, ok, s.Voters, s.Healthy, s.Tolerance, s.Self)
		}
	}
}

func TestLag(t *testing.T) {
	s, _ := StatusOf(host(1), hasData(1, cluster("healthy healthy dead")))
	if a, b := s.Lag(member(1, "healthy")), s.Lag(member(3, "dead")); a != 0 || b != 50 {
		t.Errorf("lags %d and %d, want 0 and 50", a, b)
	}
}

func TestWhyNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      Observation
		reason Reason
		exit   int
	}{
		{"nothing is configured", Observation{}, NotConfigured, ExitNotConfigured},
		{"discovery down", Observation{Discovery: Discovery{Kind: "v2", Error: "refused"}}, DiscoveryDown, ExitNotNow},
		{"nobody answers", Observation{Discovery: disco(founder(1))}, ClusterUnreachable, ExitNotNow},
		{"no quorum", Observation{Discovery: disco(founder(1)), Views: []View{served(1, "healthy healthy healthy")}}, ClusterNoQuorum, ExitNotNow},
	} {
		if plan := WhyNot(host(1), c.o); plan.Reason != c.reason || plan.Exit != c.exit {
			t.Errorf("%s: got %s %d", c.name, plan.Reason, plan.Exit)
		}
	}
}
