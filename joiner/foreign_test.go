package joiner

import "testing"

// other makes it a cluster that is not the token's.
func other(c *Cluster) { c.ID = 7 }

func named(c *Cluster) { c.Named = true }

func unnamed(o *Observation) { o.Clusters[0].Named = false }

func endpoints(p *Policy) { p.Endpoints = true }

// namedView is what a member of our cluster says, that has no quorum now.
func namedView() View {
	return View{From: hostURL(2), ClusterID: clusterID, Named: true, Members: members("healthy healthy healthy")}
}

// foreignData is host 1 with its data, while another cluster answers at so many
// of the addresses that the admin named.
func foreignData(at, of int) Observation {
	o := hasData(1)
	o.Discovery, o.Named = Discovery{}, of
	o.Clusters = []Cluster{cluster("", other, named, alsoMember(member(3, "healthy")), func(c *Cluster) { c.NamedAt = at })}
	return o
}

// incomplete is a token of which one founder has come.
func incomplete(o *Observation) { o.Discovery = disco(founder(1)) }

var foreignCases = []decideCase{
	{"registrations lead to another cluster", host(4), observed(cluster("healthy healthy dead", other)), StepWait, ClusterForeign, 75},
	{"the admin names it", host(4), observed(cluster("healthy healthy dead", other, named)), StepRemove, FullDead, 0},
	{"the token's answers too", host(4), observed(cluster("healthy healthy dead"), cluster("healthy", other, named)), StepRemove, FullDead, 0},
	{"a cluster answers before all founders registered", host(4), with(observed(cluster("healthy healthy healthy", other)), incomplete), StepWait, ClusterForeign, 75},
	{"a cluster answers to a founder", host(1), with(foundingBy(1, "unspent", founder(1), founder(2), founder(3)), func(o *Observation) {
		o.Clusters = []Cluster{cluster("", other, alsoMember(member(2, "healthy")))}
	}), StepWait, ClusterForeign, 75},
	{"it runs at our peer URLs", host(2), observed(cluster("healthy healthy healthy", other)), StepRefuse, OwnURLsInUse, 78},
	{"it runs at our peer URLs, and the token's answers too", host(4), observed(cluster("healthy healthy dead"), cluster("", other, alsoMember(member(4, "healthy")))), StepRefuse, OwnURLsInUse, 78},
	{"it is dead there, and the token's answers too", host(4), observed(cluster("healthy healthy dead"), cluster("", other, alsoMember(member(4, "dead")))), StepRemove, FullDead, 0},
	{"one without a quorum runs at our peer URLs", host(4), with(observed(cluster("healthy healthy dead")), func(o *Observation) {
		o.Views = []View{{From: hostURL(4), ClusterID: 7, Members: []Member{member(9, "healthy")}}}
	}), StepRefuse, OwnURLsInUse, 78},
	{"one without a quorum runs at our peer URLs, and only a third answers", host(4), with(observed(cluster("healthy healthy healthy", other)), func(o *Observation) {
		o.Views = []View{{From: hostURL(4), ClusterID: 8, Members: []Member{member(9, "healthy")}}}
	}), StepWait, ClusterForeign, 75},
	{"a member of ours that has one of our URLs says so itself", host(3, func(p *Policy) { p.PeerURLs = append(p.PeerURLs, hostURL(5)) }), with(observed(cluster("healthy healthy healthy")), func(o *Observation) {
		o.Views = []View{served(3, "healthy healthy healthy")}
	}), StepRefuse, URLsInUse, 78},
	{"it is dead at our peer URLs", host(3), observed(cluster("healthy healthy dead", other)), StepWait, ClusterForeign, 75},
	{"the founders spelled the token differently", host(4), with(observed(cluster("healthy healthy dead")), func(o *Observation) { o.Discovery.Token += "/" }), StepRemove, FullDead, 0},
	{"the service does not answer any more", host(4), with(observed(cluster("healthy healthy dead")), func(o *Observation) {
		o.Discovery = Discovery{Kind: "v2", Error: "refused"}.After(o.Discovery)
	}), StepRemove, FullDead, 0},
	{"a list is the admin's word", host(4), with(observed(cluster("healthy healthy dead", other, named)), func(o *Observation) { o.Discovery.Kind = KindStatic }), StepRemove, FullDead, 0},
	{"a list that leads nowhere, and a cluster that nobody named", host(4), with(observed(cluster("healthy healthy dead", other)), func(o *Observation) { o.Discovery.Kind = KindStatic }), StepWait, ClusterForeign, 75},
	{"one of a list is somebody else's by now", host(1), listBy(1, "none", func(o *Observation) {
		o.Clusters = []Cluster{cluster("", other, named, alsoMember(member(3, "healthy")), alsoMember(member(8, "dead")))}
	}), StepWait, ClusterForeign, 75},
	{"the same, and another one has run", host(1), listBy(1, "none", func(o *Observation) {
		o.Clusters = []Cluster{cluster("", other, named, alsoMember(member(3, "healthy")), alsoMember(member(8, "dead")))}
		o.Views = []View{namedView()}
	}), StepWait, ClusterNoQuorum, 75},
	{"an endpoint's member has another cluster's address", host(4, endpoints), with(withoutToken(cluster("healthy healthy dead", other)), unnamed), StepWait, ClusterUnreachable, 75},
	{"an endpoint leads to a cluster without a quorum, another one elsewhere", host(4, endpoints), with(withoutToken(cluster("healthy healthy dead", other)), func(o *Observation) { o.Views = []View{namedView()} }), StepWait, ClusterNoQuorum, 75},
	{"an endpoint is of another cluster, the others' has a quorum", host(4, endpoints), with(withoutToken(cluster("healthy healthy dead")), func(o *Observation) { o.Clusters = append(o.Clusters, cluster("healthy", other)) }), StepRemove, FullDead, 0},
	{"a view of a member that nobody named", host(4, endpoints), with(withoutToken(cluster("healthy healthy dead")), func(o *Observation) {
		o.Views = []View{{From: hostURL(7), ClusterID: 7, Members: []Member{member(7, "healthy")}}}
	}), StepRemove, FullDead, 0},
	{"our data, and another cluster answers at one of three endpoints", host(1, endpoints), foreignData(1, 3), StepEmit, ResumeUnconfirmed, 0},
	{"our data, and another cluster answers at most endpoints", host(1, endpoints), foreignData(2, 3), StepRefuse, DataForeign, 78},
	{"our data, and another cluster answers at one of three endpoints and lists us", host(3, endpoints), with(foreignData(1, 3), func(o *Observation) { o.Disk.MemberID = founderID(3) }), StepRefuse, DataForeign, 78},
	{"our data is of neither", host(1), with(hasData(1, cluster("healthy healthy healthy", other)), func(o *Observation) { o.Disk.ClusterID = 8 }), StepEmit, ResumeUnconfirmed, 0},
}

// Nobody leaves a cluster by its addresses that is not the token's.
func TestLeaveForeign(t *testing.T) {
	if plan := DecideLeave(host(3, announces), observed(cluster("healthy healthy dead", other))); plan.Reason != ClusterForeign || plan.Exit != ExitNotNow {
		t.Errorf("got %s %s: %s", plan.Step, plan.Reason, plan.Text)
	}
}

// The size that nobody gives is that of the cluster to join, and is not fixed
// while the service may still say it.
func TestSettle(t *testing.T) {
	saying := func(d Discovery, cs ...Cluster) Observation {
		return with(observed(cs...), func(o *Observation) { o.Discovery = d })
	}
	gone := Discovery{Kind: "v2", Token: token, Missing: true}
	for name, c := range map[string]struct {
		o    Observation
		size int
	}{
		"endpoints only":          {saying(Discovery{}, cluster("healthy healthy", named)), 2},
		"two clusters":            {saying(Discovery{}, cluster("healthy healthy", named), cluster("healthy", other, named)), SizeOfDiscovery},
		"the service is down":     {saying(Discovery{Kind: "v2", Error: "refused"}, cluster("healthy healthy", named)), SizeOfDiscovery},
		"there is no such token":  {saying(gone, cluster("healthy healthy", named)), 2},
		"another cluster alone":   {saying(gone, cluster("healthy healthy", other)), SizeOfDiscovery},
		"another cluster besides": {saying(gone, cluster("healthy healthy healthy", other), cluster("healthy healthy", named)), 2},
	} {
		if got := host(4).Settle(c.o).Size; got != c.size {
			t.Errorf("%s: size %d, want %d", name, got, c.size)
		}
	}
}
