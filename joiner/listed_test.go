package joiner

import (
	"strings"
	"testing"
)

// listBy is the observation of host n, which was given a list of hosts 1 to 3
// and the admin's word to found.
func listBy(n int, record string, change ...func(*Observation)) Observation {
	o := foundingBy(n, record, founder(1), founder(2), founder(3))
	o.Discovery.Kind, o.Discovery.Source = KindStatic, "-initial-cluster"
	for _, f := range change {
		f(&o)
	}
	return o
}

func srv(o *Observation) {
	o.Discovery.Kind, o.Discovery.Source = KindSRV, "SRV records of example.com"
}

// ofNoUse is a record that leads nowhere: nothing is known of the others.
func ofNoUse(o *Observation) {
	o.Discovery.Size, o.Discovery.Entries, o.Discovery.Invalid = 0, nil, "the record \".\" has no host"
}

// late is the cluster that hosts 1 and 2 of the list founded without host 3.
func late(change ...func(*Cluster)) func(*Observation) {
	return func(o *Observation) {
		o.Clusters, o.EtcdVersion = []Cluster{cluster("healthy healthy unstarted", change...)}, Version{3, 6}
	}
}

func serving(views ...View) func(*Observation) {
	return func(o *Observation) { o.Views = views }
}

func hints(list ...Hint) Observation {
	return Observation{Disk: Disk{State: DiskFresh}, Hints: list}
}

var listedCases = []decideCase{
	{"listed", host(1), listBy(1, "none"), StepRecord, FounderRecord, 0},
	{"listed, recorded", host(1), listBy(1, "unspent"), StepEmit, Found, 0},
	{"listed in DNS, recorded", host(1), listBy(1, "unspent", srv), StepEmit, Found, 0},
	{"listed, record of another token", host(1), listBy(1, "none", func(o *Observation) { o.Disk.Record = &Record{Token: "other", MemberID: 7, Spent: true} }), StepRecord, FounderRecord, 0},
	{"listed, record spent", host(1), listBy(1, "spent"), StepWait, FounderLostDisk, 75},
	{"listed, a member that ran answers", host(1), listBy(1, "none", serving(served(2, "healthy healthy healthy"))), StepWait, ClusterNoQuorum, 75},
	{"listed, a member says that the others ran", host(1), listBy(1, "none", serving(served(2, "unstarted healthy healthy"))), StepWait, ClusterNoQuorum, 75},
	{"listed, a founder waits already", host(1), listBy(1, "none", serving(served(2, "unstarted unstarted unstarted"))), StepRecord, FounderRecord, 0},
	{"listed, recorded, a founder waits already", host(1), listBy(1, "unspent", serving(served(2, "unstarted unstarted unstarted"))), StepEmit, Found, 0},
	{"listed, recorded, the others ran without us", host(1), listBy(1, "unspent", serving(served(2, "unstarted healthy healthy"))), StepEmit, Found, 0},
	{"listed, recorded, a member says that we ran", host(1), listBy(1, "unspent", serving(served(2, "healthy healthy healthy"))), StepWait, FounderLostDisk, 75},
	{"listed, recorded, another list is served", host(1), listBy(1, "unspent", serving(served(2, "unstarted unstarted unstarted unstarted"))), StepWait, FoundersDiffer, 75},
	{"not listed", host(4), listBy(4, "none"), StepWait, FounderNotListed, 75},
	{"not listed, a member that ran answers", host(4), listBy(4, "none", serving(served(2, "healthy healthy healthy"))), StepWait, ClusterNoQuorum, 75},
	{"listed under another URL", host(4, func(p *Policy) { p.Name = "n1" }), listBy(4, "none"), StepRefuse, NameInUse, 78},
	{"listed under another name", host(1, func(p *Policy) { p.Name = "n4" }), listBy(1, "none"), StepRefuse, NameInUse, 78},
	{"listed at a loopback among others", host(1, func(p *Policy) { p.PeerURLs = []string{"http://127.0.0.1:2380"} }), listBy(1, "none", func(o *Observation) {
		o.Discovery.Entries[0] = Registration("n1", []string{"http://127.0.0.1:2380"}, token)
	}), StepRefuse, AdvertiseLoopback, 78},
	{"one name twice in the list", host(1), listBy(1, "none", func(o *Observation) {
		o.Discovery.Entries[1] = Registration("n1", []string{hostURL(2)}, token)
	}), StepRefuse, DiscoveryInvalid, 78},
	{"DNS has fewer than there are to be", host(1, size(5)), listBy(1, "none", srv), StepWait, FoundersMissing, 75},
	{"DNS has as many as there are to be", host(1, size(3)), listBy(1, "none", srv), StepRecord, FounderRecord, 0},
	{"DNS does not answer", host(1), listBy(1, "none", srv, func(o *Observation) { o.Discovery.Size, o.Discovery.Entries, o.Discovery.Error = 0, nil, "timeout" }), StepWait, DiscoveryDown, 75},
	{"DNS has a record of no use", host(1), listBy(1, "none", srv, ofNoUse), StepRefuse, DiscoveryInvalid, 78},
	{"DNS has a record of no use, recorded", host(1), listBy(1, "unspent", srv, ofNoUse), StepRefuse, DiscoveryInvalid, 78},
	{"DNS has a record of no use, a member that ran answers", host(1), listBy(1, "none", srv, ofNoUse, serving(served(2, "healthy healthy healthy"))), StepWait, ClusterNoQuorum, 75},
	{"DNS has a record of no use, and the others a quorum", host(4, size(5)), listBy(4, "none", srv, ofNoUse, func(o *Observation) {
		o.Clusters, o.EtcdVersion = []Cluster{cluster("healthy healthy healthy", named)}, Version{3, 6}
	}), StepAdd, RoomToJoin, 0},
	{"listed, the others founded already", host(3), listBy(3, "none", late()), StepRecord, FounderRecord, 0},
	{"listed, the others founded already, recorded", host(3), listBy(3, "unspent", late()), StepEmit, JoinListed, 0},
	{"listed, the others founded already, record spent", host(3), listBy(3, "spent", late()), StepWatch, WatchMembers, 75},
	{"listed, the others founded already, this host ran", host(3), listBy(3, "none", late(func(c *Cluster) { c.Members[2].Health.Match = 1 })), StepWatch, WatchMembers, 75},
	{"listed, the others founded already, nobody knows what we acknowledged", host(3), listBy(3, "none", late(noProof)), StepWatch, WatchMembers, 75},
	{"listed, another cluster has our entry", host(3), listBy(3, "none", late(other, named)), StepWatch, WatchMembers, 75},
	{"listed under another name, the others founded already", host(3, func(p *Policy) { p.Name = "n9" }), listBy(3, "none", late()), StepWatch, WatchMembers, 75},
	{"not listed, the founders have a quorum", host(4, size(5)), listBy(4, "none", func(o *Observation) {
		o.Clusters, o.EtcdVersion = []Cluster{cluster("healthy healthy healthy", named)}, Version{3, 6}
	}), StepAdd, RoomToJoin, 0},

	{"hints that lead nowhere", host(1), hints(Hint{Source: "-initial-cluster", PeerURLs: []string{hostURL(1), hostURL(2)}}), StepWait, ClusterUnreachable, 75},
	{"hints that say nothing", host(1), hints(Hint{Source: "-discovery-command", Error: "exit status 1"}), StepWait, ClusterUnreachable, 75},
	{"hints that say nothing, data", host(1), with(hints(Hint{Source: "-discovery-command", Error: "exit status 1"}), func(o *Observation) {
		o.Disk = Disk{State: DiskData, MemberID: 1, ClusterID: 2}
	}), StepEmit, ResumeUnconfirmed, 0},
}

// What is said of a source names it.
func TestSourceIsNamed(t *testing.T) {
	for _, c := range listedCases {
		if c.reason == FounderNotListed || c.reason == FounderRecord || c.reason == FounderLostDisk || c.reason == NameInUse || c.reason == DiscoveryInvalid || c.reason == FoundersMissing {
			if plan := Decide(c.policy, c.obs); !strings.Contains(plan.Text, c.obs.Discovery.Source) {
				t.Errorf("%s: %q does not name %q", c.name, plan.Text, c.obs.Discovery.Source)
			}
		}
	}
	plan := Decide(host(1), hints(Hint{Source: "-discovery-command", Error: "exit status 1"}))
	if want := "-discovery-command: exit status 1"; !strings.Contains(plan.Text, want) {
		t.Errorf("%q has not %q", plan.Text, want)
	}
}

// A list has no place for registrations.
func TestListIsNotAnnouncedTo(t *testing.T) {
	o := listBy(4, "none", func(o *Observation) {
		o.Clusters = []Cluster{cluster("healthy healthy healthy added", intent(4))}
		o.EtcdVersion = observed().EtcdVersion
	})
	if plan := Decide(host(4), o); plan.Step != StepEmit || plan.Entry != nil {
		t.Errorf("got %s with entry %v", plan.Step, plan.Entry)
	}
}

func TestForeseeListed(t *testing.T) {
	var steps []string
	for _, plan := range Foresee(host(1), listBy(1, "none")) {
		steps = append(steps, string(plan.Step))
	}
	if got := strings.Join(steps, " "); got != "record emit" {
		t.Errorf("foresees %q", got)
	}
}
