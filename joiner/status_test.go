package joiner

import (
	"slices"
	"testing"
)

func TestStatusOf(t *testing.T) {
	other := func(c *Cluster) { c.ID = 7 }
	given := host(1, func(p *Policy) { p.Announces = true })
	noDiscovery := func(o *Observation) { o.Discovery = Discovery{} }
	damaged := func(o *Observation) { o.Disk = Disk{State: DiskDamaged} }
	viewed := func(vs ...View) func(*Observation) { return func(o *Observation) { o.Views = vs } }
	for _, c := range []struct {
		name                       string
		p                          Policy
		o                          Observation
		voters, healthy, tolerance int
		self                       ID
		data                       OwnData
	}{
		{"three healthy", host(1), hasData(1, cluster("healthy healthy healthy")), 3, 3, 1, founderID(1), OwnMember},
		{"one of three dead", host(1), hasData(1, cluster("healthy healthy dead")), 3, 2, 0, founderID(1), OwnMember},
		{"one that hangs", host(1), hasData(1, cluster("healthy healthy silent")), 3, 2, 0, founderID(1), OwnMember},
		{"one that the leader hears, and this host does not", host(1), hasData(1, cluster("healthy healthy unreached")), 3, 3, 1, founderID(1), OwnMember},
		{"one that answers, and does not follow", host(1), hasData(1, cluster("healthy healthy stalled")), 3, 2, 0, founderID(1), OwnMember},
		{"four healthy may lose as many as three", host(1), hasData(1, cluster("healthy healthy healthy healthy")), 4, 4, 1, founderID(1), OwnMember},
		{"five healthy", host(1), hasData(1, cluster("healthy healthy healthy healthy healthy")), 5, 5, 2, founderID(1), OwnMember},
		{"one alone", host(1), hasData(1, cluster("healthy")), 1, 1, 0, founderID(1), OwnMember},
		{"an entry that never started counts as a voter", host(1), hasData(1, cluster("healthy healthy healthy added")), 4, 3, 0, founderID(1), OwnMember},
		{"a learner does not count", host(4), learnerHere("healthy", cluster("healthy healthy healthy")), 3, 3, 1, founderID(4), OwnMember},
		{"most are gone while it is looked at", host(1), hasData(1, cluster("healthy dead dead")), 3, 1, -1, founderID(1), OwnMember},
		{"seen by a stranger", host(9), observed(cluster("healthy healthy healthy")), 3, 3, 1, 0, OwnNone},
		{"by URLs that somebody gave", given, observed(cluster("healthy healthy healthy")), 3, 3, 1, founderID(1), OwnNone},
		{"by URLs that are etcd's default", host(1), observed(cluster("healthy healthy healthy")), 3, 3, 1, 0, OwnNone},
		{"by a member that was removed", host(9), hasData(9, cluster("healthy healthy healthy")), 3, 3, 1, 0, OwnRemoved},
		{"with data of another cluster", given, with(hasData(1, cluster("healthy healthy healthy", other, named)), noDiscovery), 3, 3, 1, 0, OwnForeign},
		{"with data of one of two", host(1), hasData(1, cluster("healthy", other), cluster("healthy healthy healthy")), 3, 3, 1, founderID(1), OwnMember},
		{"with damaged data", host(9), with(observed(cluster("healthy healthy healthy")), damaged), 3, 3, 1, 0, OwnDamaged},
		{"without the leader's word", host(9), observed(cluster("healthy healthy dead", noProof)), 3, 2, 0, 0, OwnNone},
	} {
		s, ok := StatusOf(c.p, c.o)
		if !ok || !s.Quorum || s.Voters != c.voters || s.Healthy != c.healthy || s.Tolerance != c.tolerance || s.Self != c.self || s.Data != c.data {
			t.Errorf("%s: got %v, quorum %v, %d voters, %d healthy, tolerance %d, self %s, data %s", c.name, ok, s.Quorum, s.Voters, s.Healthy, s.Tolerance, s.Self, s.Data)
		}
	}
	for _, c := range []struct {
		name               string
		o                  Observation
		ok                 bool
		healthy, tolerance int
		data               OwnData
	}{
		{"one answers", hasDataSeen(1, viewed(served(1, "healthy dead dead"))), true, 1, -1, OwnMember},
		{"all answer, and nobody leads", hasDataSeen(1, viewed(served(1, "healthy healthy healthy"), served(2, "healthy healthy healthy"), served(3, "healthy healthy healthy"))), true, 3, -1, OwnMember},
		{"one of five answers", hasDataSeen(1, viewed(served(1, "healthy dead dead dead dead"))), true, 1, -2, OwnMember},
		{"a member that this one does not know", hasDataSeen(9, viewed(served(1, "healthy dead dead"))), true, 1, -1, OwnUnknown},
		{"to a stranger", with(observed(), viewed(served(1, "healthy dead dead"))), true, 1, -1, OwnNone},
		{"our data's, beside one with a quorum", with(hasData(1, cluster("healthy", other)), viewed(served(1, "healthy dead dead"))), true, 1, -1, OwnMember},
		{"nobody answers", hasData(1), false, 0, 0, ""},
		{"members of two clusters answer", with(observed(), viewed(View{From: "x", ClusterID: 7}, served(1, "healthy"))), false, 0, 0, ""},
		{"two clusters", with(observed(cluster("healthy"), cluster("healthy", other)), noDiscovery), false, 0, 0, ""},
	} {
		s, ok := StatusOf(host(1), c.o)
		if ok != c.ok || s.Quorum || s.Healthy != c.healthy || s.Tolerance != c.tolerance || s.Data != c.data {
			t.Errorf("without a quorum, %s: got %v, quorum %v, %d healthy, tolerance %d, data %s", c.name, ok, s.Quorum, s.Healthy, s.Tolerance, s.Data)
		}
	}
}

// hasDataSeen is a host with data, and no cluster with a quorum.
func hasDataSeen(n int, change func(*Observation)) Observation { return with(hasData(n), change) }

func TestStatusLag(t *testing.T) {
	s, _ := StatusOf(host(1), hasData(1, cluster("healthy healthy dead", func(c *Cluster) { c.Members[2].Health.Match = 60 })))
	for i, want := range []uint64{0, 0, 40} {
		if got, known := s.Lag(s.Cluster.Members[i]); got != want || !known {
			t.Errorf("member %d is %d behind (known: %v), want %d", i+1, got, known, want)
		}
	}
	s, _ = StatusOf(host(1), hasData(1, cluster("healthy healthy dead", noProof)))
	if _, known := s.Lag(s.Cluster.Members[2]); known {
		t.Error("without the leader's word a lag is known")
	}
}

func TestStatusClear(t *testing.T) {
	started := func(c *Cluster) { c.Members[2].Health.Stalled = 0 }
	for _, c := range []struct {
		name string
		o    Observation
		want bool
	}{
		{"all follow", hasData(1, cluster("healthy healthy healthy")), true},
		{"one stands still", hasData(1, cluster("healthy healthy dead")), true},
		{"one does not follow, seen once", hasData(1, cluster("healthy healthy dead", started)), false},
		{"one never started", hasData(1, cluster("healthy healthy healthy unstarted")), true},
		{"the leader's word is not to be had", hasData(1, cluster("healthy healthy dead", started, noProof)), true},
		{"no quorum", with(hasData(1), func(o *Observation) { o.Views = []View{served(1, "healthy healthy healthy")} }), false},
	} {
		if s, _ := StatusOf(host(1), c.o); s.Clear() != c.want {
			t.Errorf("%s: got %v", c.name, s.Clear())
		}
	}
}

func TestStatusAlarms(t *testing.T) {
	s, _ := StatusOf(host(1), hasData(1, cluster("healthy healthy healthy", func(c *Cluster) {
		c.Members[0].Alarms, c.Members[2].Alarms = []string{"NOSPACE"}, []string{"NOSPACE", "CORRUPT"}
	})))
	if got := s.Alarms(); !slices.Equal(got, []string{"CORRUPT", "NOSPACE"}) {
		t.Errorf("got %v", got)
	}
}

func TestUnapplied(t *testing.T) {
	for _, c := range []struct {
		d     Details
		want  uint64
		known bool
	}{
		{Details{}, 0, false},
		{Details{Committed: 7}, 0, false},
		{Details{Committed: 7, Applied: 5}, 2, true},
		{Details{Committed: 7, Applied: 7}, 0, true},
		{Details{Committed: 7, Applied: 8}, 0, true}, // it went on between the two
	} {
		if got, known := c.d.Unapplied(); got != c.want || known != c.known {
			t.Errorf("%+v: got %d, %v", c.d, got, known)
		}
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
