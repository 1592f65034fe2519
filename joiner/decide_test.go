package joiner

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The world of the cases: hosts n1, n2, ... at 10.0.0.1, 10.0.0.2, ...; this
// host is n4 unless a case says otherwise; a token of size 3.
const (
	token  = "http://disco/0123456789abcdef0123456789abcdef"
	window = Duration(time.Minute)
)

func hostURL(n int) string { return "http://10.0.0." + string(rune('0'+n)) + ":2380" }

func hostName(n int) string { return "n" + string(rune('0'+n)) }

func host(n int, change ...func(*Policy)) Policy {
	p := Policy{Name: hostName(n), PeerURLs: []string{hostURL(n)}, DataDir: "data",
		Strategy: Replace, Size: SizeOfDiscovery, DeadAfter: window}
	for _, f := range change {
		f(&p)
	}
	return p
}

func strategy(s Strategy) func(*Policy) { return func(p *Policy) { p.Strategy = s } }
func size(n int) func(*Policy)          { return func(p *Policy) { p.Size = n } }

// founder gives the entry of host n in the token.
func founder(n int) Entry { return Registration(hostName(n), []string{hostURL(n)}, token) }

func founderID(n int) ID { return FounderID([]string{hostURL(n)}, token) }

func disco(entries ...Entry) Discovery {
	return Discovery{Kind: "v2", Token: token, Size: 3, Entries: entries}
}

var clusterID = FoundingID([]ID{founderID(1), founderID(2), founderID(3)})

// member is host n as a member of the cluster, in one of these states.
func member(n int, state string) Member {
	m := Member{ID: founderID(n), Name: hostName(n), PeerURLs: []string{hostURL(n)},
		ClientURLs: []string{strings.Replace(hostURL(n), "2380", "2379", 1)}, Version: Version{3, 6}}
	switch state {
	case "healthy":
		m.Health = Health{Reached: hostURL(n), Proven: true, Match: 100, Following: true}
	case "unreached": // from here only
		m.Health = Health{Match: 100, Following: true, Silent: window}
	case "stalled": // it answers, but its log stands still
		m.Health = Health{Reached: hostURL(n), Match: 50, Stalled: window}
	case "behind": // its log moves on
		m.Health = Health{Reached: hostURL(n), Match: 50}
	case "silent": // not yet for long enough
		m.Health = Health{Match: 50, Silent: window - 1, Stalled: window - 1}
	case "dead":
		m.Health = Health{Match: 50, Silent: window, Stalled: window}
	case "unclear":
		m.Health = Health{Unclear: "tls: bad certificate", Match: 50, Stalled: window}
	case "added": // by its URLs, never started
		m.Name, m.ClientURLs = "", nil
		m.Health = Health{Silent: window - 1, Stalled: window - 1}
	case "abandoned":
		m.Name, m.ClientURLs = "", nil
		m.Health = Health{Silent: window, Stalled: window}
	case "unstarted": // a founder that never ran
		m.ClientURLs = nil
		m.Health = Health{}
	default:
		panic("unknown state " + state)
	}
	return m
}

// members reads "healthy healthy dead" as hosts 1, 2 and 3 in these states.
func members(states string) []Member {
	var ms []Member
	for i, s := range strings.Fields(states) {
		ms = append(ms, member(i+1, s))
	}
	return ms
}

func cluster(states string, change ...func(*Cluster)) Cluster {
	c := Cluster{ID: clusterID, From: "http://10.0.0.1:2379", API: "v3", Version: Version{3, 6}, Leader: founderID(1), Term: 2, Members: members(states)}
	for _, f := range change {
		f(&c)
	}
	return c
}

func noProof(c *Cluster) { c.NoProof = "GET http://10.0.0.1:2379/debug/vars: connection reset" }

func alsoMember(ms ...Member) func(*Cluster) {
	return func(c *Cluster) { c.Members = append(c.Members, ms...) }
}

// observed is a fresh host's observation of a cluster with the founders'
// token.
func observed(cs ...Cluster) Observation {
	return Observation{Disk: Disk{State: DiskFresh}, Discovery: disco(founder(1), founder(2), founder(3)), Clusters: cs, EtcdVersion: Version{3, 6}}
}

// founding is the observation of a host before any cluster answers.
func foundingBy(n int, record string, entries ...Entry) Observation {
	o := Observation{Disk: Disk{State: DiskFresh}, Discovery: disco(entries...)}
	if record != "none" {
		o.Disk.Record = &Record{Token: token, MemberID: founderID(n), Spent: record == "spent"}
	}
	return o
}

func hasData(n int, cs ...Cluster) Observation {
	o := observed(cs...)
	o.Disk = Disk{State: DiskData, MemberID: founderID(n), ClusterID: clusterID}
	return o
}

func with(o Observation, change func(*Observation)) Observation {
	change(&o)
	return o
}

// ofVersion is an observation of a host with that etcd.
func ofVersion(major, minor int64, o Observation) Observation {
	o.EtcdVersion = Version{major, minor}
	return o
}

// servers gives the members' etcds, "-" = unknown.
func servers(versions string) func(*Cluster) {
	return func(c *Cluster) {
		for i, v := range strings.Fields(versions) {
			c.Members[i].Version = Version{}
			if v != "-" {
				c.Members[i].Version = Version{3, int64(v[2] - '0')}
			}
		}
	}
}

func downgrading(c *Cluster) { c.Downgrading = true }

func undecidedYet(c *Cluster) { c.Version = undecidedVersion }

// alone is a host that finds one member of its cluster, a 3.6, and no quorum.
func alone(major, minor int64) Observation {
	o := ofVersion(major, minor, hasData(1))
	o.Views, o.Elapsed = []View{served(2, "dead healthy dead")}, resumeGrace
	return o
}

func served(n int, states string) View {
	return View{From: hostURL(n), ClusterID: clusterID, Members: members(states)}
}

type decideCase struct {
	name   string
	policy Policy
	obs    Observation
	step   Step
	reason Reason
	exit   int
}

func (c decideCase) check(t *testing.T) Plan {
	t.Helper()
	plan := Decide(c.policy, c.obs)
	for obs := c.obs; (plan.Step == StepClaim || plan.Step == StepForget) && c.step != plan.Step; {
		obs = obs.after(c.policy, plan)
		plan = Decide(c.policy, obs)
	}
	if plan.Step != c.step || plan.Reason != c.reason || plan.Exit != c.exit {
		t.Errorf("%s:\n got %s %s exit %d: %s\nwant %s %s exit %d", c.name, plan.Step, plan.Reason, plan.Exit, plan.Text, c.step, c.reason, c.exit)
	}
	if plan.Text == "" {
		t.Errorf("%s: the plan has no text", c.name)
	}
	if plan.Exit != ExitDone && plan.Hint == "" {
		t.Errorf("%s: the plan ends in %d and says nothing of what to do", c.name, plan.Exit)
	}
	return plan
}

var dataCases = []decideCase{
	{"data, listed with our URLs", host(1), hasData(1, cluster("healthy healthy healthy")), StepEmit, ResumeMember, 0},
	{"data, an etcd runs", host(1), with(hasData(1, cluster("healthy healthy healthy")), func(o *Observation) { o.Disk.Running = true }), StepEmit, ResumeRunning, 0},
	{"data, nobody answers", host(1), hasData(1), StepEmit, ResumeUnconfirmed, 0},
	{"data, no quorum answers", host(1), with(hasData(1), func(o *Observation) {
		o.Views = []View{served(2, "healthy healthy healthy")}
		o.Elapsed = resumeGrace
	}), StepEmit, ResumeUnconfirmed, 0},
	{"data, an election", host(1), with(hasData(1), func(o *Observation) { o.Views = []View{served(2, "healthy healthy healthy")} }), StepWatch, WatchMembers, 75},
	{"data, removed", host(1), hasData(1, cluster("", alsoMember(member(2, "healthy"), member(3, "healthy")))), StepArchive, DataRemoved, 0},
	{"data, removed, no room for an archive", host(1), with(hasData(1, cluster("", alsoMember(member(2, "healthy"), member(3, "healthy")))), func(o *Observation) { o.Disk.NoArchive = "there are 3" }), StepRefuse, DataUnarchivable, 78},
	{"data, removed, kept", host(1, func(p *Policy) { p.KeepStale = true }), hasData(1, cluster("", alsoMember(member(2, "healthy"), member(3, "healthy")))), StepRefuse, DataStale, 78},
	{"data, removed, prepare", host(1, strategy(Prepare)), hasData(1, cluster("", alsoMember(member(2, "healthy"), member(3, "healthy")))), StepRefuse, DataStale, 78},
	{"data, moved here", host(4), hasData(1, cluster("dead healthy healthy")), StepUpdate, DataMoved, 0},
	{"data, moved here, onto another dead member", host(2), hasData(1, cluster("dead dead healthy healthy healthy")), StepRefuse, URLsHeld, 78},
	{"data, moved here, prepare", host(4, strategy(Prepare)), hasData(1, cluster("dead healthy healthy")), StepRefuse, NotPrepared, 78},
	{"data, moved here, still watched", host(4), hasData(1, cluster("silent healthy healthy")), StepWatch, WatchMembers, 75},
	{"data, copied", host(4), hasData(1, cluster("healthy healthy healthy")), StepRefuse, DataElsewhere, 78},
	{"data, copied, unreachable from here", host(4), hasData(1, cluster("unreached healthy healthy")), StepRefuse, DataElsewhere, 78},
	{"data, moved here, no evidence", host(4), hasData(1, cluster("dead healthy healthy", noProof)), StepRefuse, NoEvidence, 75},
	{"data of another cluster", host(1), with(hasData(1, cluster("healthy healthy healthy")), func(o *Observation) { o.Disk.ClusterID = 7 }), StepRefuse, DataForeign, 78},
	{"data of the token's cluster, another one at its addresses", host(1), with(hasData(1), func(o *Observation) {
		o.Clusters = []Cluster{cluster("healthy healthy", func(c *Cluster) { c.ID = 7 })}
	}), StepEmit, ResumeUnconfirmed, 0},
	{"data, version two higher", host(1), ofVersion(3, 8, hasData(1, cluster("dead healthy healthy"))), StepRefuse, VersionSkew, 78},
	{"data, version two higher, moved here", host(4), ofVersion(3, 8, hasData(1, cluster("dead healthy healthy"))), StepRefuse, VersionSkew, 78},
	{"data, version two higher, an etcd runs", host(1), with(ofVersion(3, 8, hasData(1, cluster("healthy healthy healthy"))), func(o *Observation) { o.Disk.Running = true }), StepEmit, ResumeRunning, 0},
	{"data, version two higher, downgrading", host(1), ofVersion(3, 8, hasData(1, cluster("dead healthy healthy", downgrading))), StepRefuse, VersionSkew, 78},
	{"data, version one higher", host(1), ofVersion(3, 7, hasData(1, cluster("dead healthy healthy"))), StepEmit, ResumeMember, 0},
	{"data, version one higher, downgrading", host(1), ofVersion(3, 7, hasData(1, cluster("dead healthy healthy", downgrading))), StepEmit, ResumeMember, 0},
	{"data, version lower, downgrading", host(1), ofVersion(3, 5, hasData(1, cluster("dead healthy healthy", downgrading))), StepEmit, ResumeMember, 0},
	{"data, version lower", host(1), ofVersion(3, 4, hasData(1, cluster("dead healthy healthy"))), StepEmit, ResumeMember, 0},
	{"data, version unknown", host(1), ofVersion(0, 0, hasData(1, cluster("dead healthy healthy"))), StepEmit, ResumeMember, 0},
	{"data, version two higher than a cluster that is upgraded but for its version", host(1), ofVersion(3, 8, hasData(1, cluster("dead healthy healthy", servers("- 3.7 3.7")))), StepRefuse, VersionSkew, 78},
	{"data, cluster says 3.0, version one higher than the servers", host(1), ofVersion(3, 7, hasData(1, cluster("dead healthy healthy", undecidedYet))), StepEmit, ResumeMember, 0},
	{"data, cluster says 3.0, version two higher than a server", host(1), ofVersion(3, 8, hasData(1, cluster("dead healthy healthy", undecidedYet, servers("- 3.7 3.6")))), StepRefuse, VersionSkew, 78},
	{"data, cluster without a version, version two higher than a server", host(1), ofVersion(3, 8, hasData(1, cluster("dead healthy healthy", func(c *Cluster) { c.Version = Version{} }))), StepRefuse, VersionSkew, 78},
	{"data of 2.3, cluster says 2.1", host(1), ofVersion(2, 3, hasData(1, cluster("dead healthy healthy", version(2, 3), func(c *Cluster) { c.Version = Version{2, 1} }))), StepEmit, ResumeMember, 0},
	{"data, no quorum answers, version two higher than a member's", host(1), alone(3, 8), StepRefuse, VersionSkew, 78},
	{"data, no quorum answers, version one higher", host(1), alone(3, 7), StepEmit, ResumeUnconfirmed, 0},
	{"data, no quorum answers, version lower", host(1), alone(3, 5), StepEmit, ResumeUnconfirmed, 0},
	{"data, no quorum answers, version unknown", host(1), alone(0, 0), StepEmit, ResumeUnconfirmed, 0},
	{"data, no quorum answers, version two higher than that of somebody else", host(1), with(alone(3, 8), func(o *Observation) { o.Views[0].ClusterID = 7 }), StepEmit, ResumeUnconfirmed, 0},
	{"damaged", host(1), Observation{Disk: Disk{State: DiskDamaged, Detail: "short"}}, StepRefuse, DataDamaged, 78},
}

var collisionCases = []decideCase{
	{"entry of ours waits", host(4), observed(cluster("healthy healthy healthy added")), StepEmit, JoinListed, 0},
	{"entry of ours waits, prepare", host(4, strategy(Prepare)), observed(cluster("healthy healthy healthy added")), StepEmit, JoinListed, 0},
	{"entry of ours waits, version two higher", host(4), with(observed(cluster("healthy healthy healthy added")), func(o *Observation) { o.EtcdVersion = Version{3, 8} }), StepRefuse, VersionSkew, 78},
	{"entry of ours waits, prepare, version lower", host(4, strategy(Prepare)), with(observed(cluster("healthy healthy healthy added")), func(o *Observation) { o.EtcdVersion = Version{3, 5} }), StepRefuse, VersionSkew, 78},
	{"entry of ours waits, version unknown", host(4), with(observed(cluster("healthy healthy healthy added")), func(o *Observation) { o.EtcdVersion = Version{} }), StepRefuse, VersionUnknown, 78},
	{"founder comes late with a version two higher", host(3), with(observed(cluster("healthy healthy unstarted")), func(o *Observation) {
		o.Disk.Record, o.EtcdVersion = foundingBy(3, "unspent").Disk.Record, Version{3, 8}
	}), StepRefuse, VersionSkew, 78},
	{"founder comes late, one minor older than another", host(3), with(observed(cluster("healthy healthy unstarted", func(c *Cluster) {
		c.Version, c.Members[1].Version = undecidedVersion, Version{3, 7}
	})), func(o *Observation) { o.Disk.Record = foundingBy(3, "unspent").Disk.Record }), StepEmit, JoinListed, 0},
	{"founder comes late, two minors older than another", host(3), with(observed(cluster("healthy healthy unstarted", func(c *Cluster) {
		c.Version, c.Members[1].Version = undecidedVersion, Version{3, 8}
	})), func(o *Observation) { o.Disk.Record = foundingBy(3, "unspent").Disk.Record }), StepRefuse, VersionSkew, 78},
	{"founder comes late with a version nobody knows", host(3), with(observed(cluster("healthy healthy unstarted")), func(o *Observation) {
		o.Disk.Record, o.EtcdVersion = foundingBy(3, "unspent").Disk.Record, Version{}
	}), StepEmit, JoinListed, 0},
	{"founder of 2.3 comes late", host(3), with(observed(cluster("healthy healthy unstarted", func(c *Cluster) { c.Version, c.API = Version{2, 1}, "v2" })), func(o *Observation) {
		o.Disk.Record, o.EtcdVersion = foundingBy(3, "unspent").Disk.Record, Version{2, 3}
	}), StepEmit, JoinListed, 0},
	{"one voter and a dead learner", host(4, size(3)), observed(cluster("healthy", alsoMember(asLearner(member(2, "dead"))), gone)), StepRemove, PruneDead, 0},
	{"the size as an intent has it", host(4, size(-1)), observed(cluster("healthy healthy healthy", intent(5, func(i *Intent) { i.Size = 3 }), alsoMember(member(5, "healthy")))), StepRefuse, ClusterFull, 75},
	{"founder comes late", host(3), with(observed(cluster("healthy healthy unstarted")), func(o *Observation) { o.Disk.Record = foundingBy(3, "unspent").Disk.Record }), StepEmit, JoinListed, 0},
	{"founder comes late without its record", host(3), observed(cluster("healthy healthy", alsoMember(func() Member { m := member(3, "dead"); m.ClientURLs = nil; return m }()))), StepRemove, FormerSelf, 0},
	{"founder comes late with a spent record", host(3), with(observed(cluster("healthy healthy", alsoMember(func() Member { m := member(3, "dead"); m.ClientURLs = nil; return m }()))), func(o *Observation) { o.Disk.Record = foundingBy(3, "spent").Disk.Record }), StepRemove, FormerSelf, 0},
	{"entry of ours has acknowledged entries", host(4, size(4)), observed(cluster("healthy healthy healthy", alsoMember(func() Member { m := member(4, "abandoned"); m.Health.Match = 9; return m }()))), StepRemove, FormerSelf, 0},
	{"entry with one of our URLs, in flight", host(4, func(p *Policy) { p.PeerURLs = append(p.PeerURLs, hostURL(5)) }), observed(cluster("healthy healthy healthy added")), StepWatch, WatchMembers, 75},
	{"entry with one of our URLs, abandoned", host(4, size(4), func(p *Policy) { p.PeerURLs = append(p.PeerURLs, hostURL(5)) }), observed(cluster("healthy healthy healthy abandoned")), StepRemove, EntryMismatch, 0},
	{"former self, dead", host(3), observed(cluster("healthy healthy dead")), StepRemove, FormerSelf, 0},
	{"former self, dead, prune", host(3, strategy(Prune)), observed(cluster("healthy healthy dead")), StepRemove, FormerSelf, 0},
	{"former self, dead, overfull", host(4), observed(cluster("healthy healthy healthy dead")), StepRefuse, ClusterFull, 75},
	{"former self, dead, add", host(3, strategy(Add)), observed(cluster("healthy healthy dead")), StepRefuse, FormerSelfKept, 78},
	{"former self, dead, prepare", host(3, strategy(Prepare)), observed(cluster("healthy healthy dead")), StepRefuse, FormerSelfKept, 78},
	{"former self, still watched", host(3), observed(cluster("healthy healthy silent")), StepWatch, WatchMembers, 75},
	{"wrong data dir on a running member", host(3), observed(cluster("healthy healthy healthy")), StepRefuse, OwnURLsInUse, 78},
	{"former self, no evidence", host(3), observed(cluster("healthy healthy dead", noProof)), StepRefuse, NoEvidence, 75},
	{"one of our URLs is a running member's", host(3, func(p *Policy) { p.PeerURLs = append(p.PeerURLs, hostURL(5)) }), observed(cluster("healthy healthy healthy")), StepRefuse, URLsInUse, 78},
	{"one of our URLs is a dead member's", host(3, func(p *Policy) { p.PeerURLs = append(p.PeerURLs, hostURL(5)) }), observed(cluster("healthy healthy dead")), StepRemove, URLsHeld, 0},
	{"one of our URLs is a dead member's, add", host(3, strategy(Add), func(p *Policy) { p.PeerURLs = append(p.PeerURLs, hostURL(5)) }), observed(cluster("healthy healthy dead")), StepRefuse, URLsHeld, 78},
	{"our name is a running member's", host(4, func(p *Policy) { p.Name = "n1" }), observed(cluster("healthy healthy healthy")), StepRefuse, NameInUse, 78},
	{"our name is a dead member's", host(4, func(p *Policy) { p.Name = "n3" }), observed(cluster("healthy healthy dead")), StepRemove, FullDead, 0},
	{"our name is a silent member's", host(4, size(5), func(p *Policy) { p.Name = "n3" }), observed(cluster("healthy healthy silent")), StepWatch, WatchMembers, 75},
	{"two clusters, one of them the token's", host(4), observed(cluster("healthy", func(c *Cluster) { c.ID = 7 }), cluster("healthy healthy dead")), StepRemove, FullDead, 0},
	{"two clusters", host(4), with(observed(cluster("healthy healthy healthy", named), cluster("healthy", other, named)), func(o *Observation) { o.Discovery = Discovery{} }), StepRefuse, ClustersAmbiguous, 78},
}

var strategyCases = []decideCase{
	{"prepare without an entry", host(4, strategy(Prepare)), observed(cluster("healthy healthy dead")), StepRefuse, NotPrepared, 78},
	{"add, room", host(4, strategy(Add), size(5)), observed(cluster("healthy healthy healthy")), StepAdd, RoomToJoin, 0},
	{"add, no limit", host(4, strategy(Add), size(0)), observed(cluster("healthy healthy healthy")), StepAdd, RoomToJoin, 0},
	{"add, full", host(4, strategy(Add)), observed(cluster("healthy healthy dead")), StepRefuse, ClusterFull, 75},
	{"add, a dead one puts the quorum at risk", host(4, strategy(Add), size(5)), observed(cluster("healthy healthy dead", gone)), StepWait, QuorumAtRisk, 75},
	{"replace, room", host(4, size(5)), observed(cluster("healthy healthy healthy")), StepAdd, RoomToJoin, 0},
	{"add, a hanging one, an old etcd", host(6, strategy(Add), size(6)), with(observed(cluster("healthy healthy healthy healthy dead", version(3, 5))), func(o *Observation) { o.EtcdVersion = Version{3, 5} }), StepWait, MemberHangs, 75},
	{"add, a hanging one, an etcd that gives up on it", host(6, strategy(Add), size(6)), observed(cluster("healthy healthy healthy healthy dead")), StepAdd, RoomToJoin, 0},
	{"replace, room, a dead one puts the quorum at risk", host(4, size(5)), observed(cluster("healthy healthy dead", gone)), StepWait, QuorumAtRisk, 75},
	{"add, a dead one whose address is another member's, an old etcd", host(6, strategy(Add), size(6)), with(observed(cluster("healthy healthy healthy healthy dead", version(3, 5), elsewhere)), func(o *Observation) { o.EtcdVersion = Version{3, 5} }), StepAdd, RoomToJoin, 0},
	{"replace, room, a hanging one", host(4, size(5)), observed(cluster("healthy healthy dead")), StepRemove, HangingDead, 0},
	{"replace, room, one may be hanging", host(4, size(5)), observed(cluster("healthy healthy silent")), StepWatch, WatchMembers, 75},
	{"entry of ours waits, a hanging one, an old etcd", host(5), with(observed(cluster("healthy healthy healthy dead added", version(3, 5))), func(o *Observation) { o.EtcdVersion = Version{3, 5} }), StepRemove, HangingDead, 0},
	{"replace, room, a dead one of five", host(6, size(6)), observed(cluster("healthy healthy healthy healthy dead", gone)), StepAdd, RoomToJoin, 0},
	{"replace, full, one dead", host(4), observed(cluster("healthy healthy dead")), StepRemove, FullDead, 0},
	{"replace, full, one silent", host(4), observed(cluster("healthy healthy silent")), StepWatch, WatchMembers, 75},
	{"replace, full, one unclear", host(4), observed(cluster("healthy healthy unclear")), StepWatch, WatchMembers, 75},
	{"replace, full, one unreachable from here", host(4), observed(cluster("healthy healthy unreached")), StepRefuse, ClusterFull, 75},
	{"replace, full, one stalled but answering", host(4), observed(cluster("healthy healthy stalled")), StepRefuse, ClusterFull, 75},
	{"replace, full, nobody dead", host(4), observed(cluster("healthy healthy healthy")), StepRefuse, ClusterFull, 75},
	{"replace, full, one dead, no evidence", host(4), observed(cluster("healthy healthy dead", noProof)), StepRefuse, NoEvidence, 75},
	{"room, one is cut off from the others, no evidence", host(4, size(5)), observed(cluster("healthy healthy stalled", noProof)), StepWait, QuorumAtRisk, 75},
	{"room, no evidence, and all speak for a quorum", host(4, size(5)), observed(cluster("healthy healthy healthy", noProof)), StepAdd, RoomToJoin, 0},
	{"replace, full, nobody dead, standby", host(4, standby), observed(cluster("healthy healthy healthy")), StepWait, ClusterFull, 75},
	{"replace, full, one dead, beside it a learner that never started", host(6, size(3)), observed(cluster("healthy healthy dead", alsoMember(asLearner(member(4, "abandoned"))))), StepRemove, FullDead, 0},
	{"replace, full, beside a learner that never started one that may be dead", host(6, size(3)), observed(cluster("healthy healthy silent", alsoMember(asLearner(member(4, "abandoned"))))), StepWatch, WatchMembers, 75},
	{"replace, full, one dead, beside it a learner that nobody promotes", host(6, size(3)), observed(cluster("healthy healthy dead", alsoMember(asLearner(member(4, "healthy"))))), StepRemove, PromoteReplaced, 0},
	{"add, full, one dead, beside it a learner that nobody promotes", host(6, strategy(Add), size(3)), observed(cluster("healthy healthy dead", alsoMember(asLearner(member(4, "healthy"))))), StepRefuse, ClusterFull, 75},
	{"replace, overfull", host(6), observed(cluster("healthy healthy healthy healthy dead")), StepRefuse, ClusterFull, 75},
	{"replace, full, an abandoned entry", host(5), observed(cluster("healthy healthy", alsoMember(member(4, "abandoned")))), StepRemove, FullDead, 0},
	{"replace, full, a join in flight", host(5), observed(cluster("healthy healthy", alsoMember(member(4, "added")))), StepWatch, WatchMembers, 75},
	{"replace, full five, two dead", host(6, size(5)), observed(cluster("healthy healthy healthy dead dead")), StepRemove, FullDead, 0},
	{"prune, room, one dead", host(4, strategy(Prune), size(5)), observed(cluster("healthy healthy dead")), StepRemove, PruneDead, 0},
	{"prune, room, one silent", host(4, strategy(Prune), size(5)), observed(cluster("healthy healthy silent")), StepWatch, WatchMembers, 75},
	{"prune, room, nobody dead", host(4, strategy(Prune), size(5)), observed(cluster("healthy healthy healthy")), StepAdd, RoomToJoin, 0},
	{"prune, full, nobody dead", host(4, strategy(Prune)), observed(cluster("healthy healthy healthy")), StepRefuse, ClusterFull, 75},
	{"prune, overfull, one dead", host(6, strategy(Prune)), observed(cluster("healthy healthy healthy healthy dead")), StepRemove, PruneDead, 0},
	{"one voter", host(4, size(3)), observed(cluster("healthy")), StepAdd, RoomToJoin, 0},
	{"one voter, never a learner", host(4, size(3), learner(LearnerNever)), observed(cluster("healthy")), StepRefuse, OneToTwo, 78},
	{"one voter that has no version yet, any version", host(4, size(3), func(p *Policy) { p.AnyVersion = true }), observed(cluster("healthy", func(c *Cluster) { c.Version = Version{} })), StepAdd, RoomToJoin, 0},
	{"one voter of 3.3", host(4, size(3)), with(observed(cluster("healthy", version(3, 3))), func(o *Observation) { o.EtcdVersion = Version{3, 3} }), StepRefuse, OneToTwo, 78},
	{"two voters", host(4, size(3)), observed(cluster("healthy healthy")), StepAdd, RoomToJoin, 0},
	{"no size from discovery", host(4), withoutToken(cluster("healthy healthy healthy")), StepRefuse, ClusterFull, 75},
	{"version one higher", host(4), with(observed(cluster("healthy healthy dead")), func(o *Observation) { o.EtcdVersion = Version{3, 7} }), StepRemove, FullDead, 0},
	{"version two higher, nobody dead yet", host(4), with(observed(cluster("healthy healthy silent")), func(o *Observation) { o.EtcdVersion = Version{3, 8} }), StepRefuse, VersionSkew, 78},
	{"version two higher", host(4), with(observed(cluster("healthy healthy dead")), func(o *Observation) { o.EtcdVersion = Version{3, 8} }), StepRefuse, VersionSkew, 78},
	{"version lower", host(4, size(5)), with(observed(cluster("healthy healthy healthy")), func(o *Observation) { o.EtcdVersion = Version{3, 5} }), StepRefuse, VersionSkew, 78},
	{"version known before, and not now", host(4, size(5)), with(observed(cluster("healthy healthy healthy")), func(o *Observation) { o.EtcdVersion, o.EtcdMissing = Version{}, true }), StepWait, VersionUnknown, 75},
	{"version unknown", host(4, size(5)), with(observed(cluster("healthy healthy healthy")), func(o *Observation) { o.EtcdVersion = Version{} }), StepRefuse, VersionUnknown, 78},
	{"any version", host(4, size(5), func(p *Policy) { p.AnyVersion = true }), with(observed(cluster("healthy healthy healthy")), func(o *Observation) { o.EtcdVersion = Version{} }), StepAdd, RoomToJoin, 0},
	{"young cluster says 3.0", host(4, size(5)), observed(cluster("healthy healthy healthy", func(c *Cluster) { c.Version = Version{3, 0} })), StepAdd, RoomToJoin, 0},
	{"young cluster says 3.0, and a founder died early", host(4), observed(cluster("healthy healthy dead", func(c *Cluster) { c.Version = Version{3, 0}; c.Members[2].Version = Version{} })), StepRemove, FullDead, 0},
	{"young cluster says 3.0, this etcd is newer than its servers", host(4, size(5)), with(observed(cluster("healthy healthy healthy", func(c *Cluster) { c.Version = Version{3, 0} })), func(o *Observation) { o.EtcdVersion = Version{3, 7} }), StepWait, VersionUndecided, 75},
	{"young cluster says 3.0, this etcd is too new for its servers", host(4, size(5)), with(observed(cluster("healthy healthy healthy", func(c *Cluster) { c.Version = Version{3, 0} })), func(o *Observation) { o.EtcdVersion = Version{3, 8} }), StepRefuse, VersionSkew, 78},
	{"a cluster that is 3.0", host(4, size(5)), observed(cluster("healthy healthy healthy", func(c *Cluster) {
		c.Version = Version{3, 0}
		for i := range c.Members {
			c.Members[i].Version = Version{3, 0}
		}
	})), StepRefuse, VersionSkew, 78},
	{"a member's URL breaks the list", host(4), observed(cluster("healthy healthy dead", func(c *Cluster) { c.Members[2].PeerURLs = []string{"http://a,b=c:2380"} })), StepRefuse, MemberUnlistable, 78},
	{"a member's URL breaks the list in which our entry waits", host(4), observed(cluster("healthy healthy dead added", func(c *Cluster) { c.Members[2].PeerURLs = []string{"http://a,b=c:2380"} })), StepRefuse, MemberUnlistable, 78},
	{"the members differ", host(4), observed(cluster("healthy healthy dead", func(c *Cluster) { c.Members[1].Alarms = []string{"CORRUPT"} })), StepRefuse, AlarmCorrupt, 78},
	{"nobody knows whose data is wrong", host(4), observed(cluster("healthy healthy dead", func(c *Cluster) { c.Alarms = []string{"CORRUPT"} })), StepRefuse, AlarmCorrupt, 78},
	{"no space", host(4), observed(cluster("healthy healthy dead", func(c *Cluster) { c.Members[1].Alarms = []string{"NOSPACE"} })), StepRemove, FullDead, 0},
	{"a downgrade is enabled", host(4, size(5)), observed(cluster("healthy healthy healthy", func(c *Cluster) { c.Downgrading = true })), StepWait, VersionDowngrade, 75},
	{"a downgrade is enabled, full, one dead", host(4), observed(cluster("healthy healthy dead", func(c *Cluster) { c.Downgrading = true })), StepWait, VersionDowngrade, 75},
	{"a downgrade is enabled, our entry waits", host(4), observed(cluster("healthy healthy healthy added", func(c *Cluster) { c.Downgrading = true })), StepWait, VersionDowngrade, 75},
	{"a downgrade is enabled, and we have data", host(3), hasData(3, cluster("healthy healthy healthy", func(c *Cluster) { c.Downgrading = true })), StepEmit, ResumeMember, 0},
	{"cluster without a version", host(4, size(5)), observed(cluster("healthy healthy healthy", func(c *Cluster) { c.Version = Version{}; c.Members[0].Version = Version{} })), StepWait, VersionUndecided, 75},
}

var foundingCases = []decideCase{
	{"first founder", host(1), foundingBy(1, "none"), StepRecord, FounderRecord, 0},
	{"first founder, recorded", host(1), foundingBy(1, "unspent"), StepRegister, FounderRegister, 0},
	{"first founder, registered", host(1), foundingBy(1, "unspent", founder(1)), StepWait, FoundersMissing, 75},
	{"registered by a run without record", host(1), foundingBy(1, "none", founder(1)), StepRecord, FounderRecord, 0},
	{"record spent, places free", host(1), foundingBy(1, "spent", founder(2)), StepWait, FounderLostDisk, 75},
	{"record of another token", host(1), with(foundingBy(1, "unspent"), func(o *Observation) { o.Disk.Record = &Record{Token: "other", MemberID: 7} }), StepRecord, FounderRecord, 0},
	{"all founders", host(1), foundingBy(1, "unspent", founder(1), founder(2), founder(3)), StepEmit, Found, 0},
	{"all founders, one waits already", host(1), with(foundingBy(1, "unspent", founder(1), founder(2), founder(3)), func(o *Observation) {
		o.Views = []View{served(2, "unstarted unstarted unstarted")}
	}), StepEmit, Found, 0},
	{"the others ran without us", host(1), with(foundingBy(1, "unspent", founder(1), founder(2), founder(3)), func(o *Observation) {
		o.Views = []View{served(2, "unstarted healthy healthy")}
	}), StepEmit, Found, 0},
	{"a member says that we ran", host(1), with(foundingBy(1, "unspent", founder(1), founder(2), founder(3)), func(o *Observation) {
		o.Views = []View{served(2, "healthy healthy healthy")}
	}), StepWait, FounderLostDisk, 75},
	{"another list is served", host(1), with(foundingBy(1, "unspent", founder(1), founder(2), founder(3)), func(o *Observation) {
		o.Views = []View{served(2, "unstarted healthy healthy healthy")}
	}), StepWait, FoundersDiffer, 75},
	{"another cluster is served", host(1), with(foundingBy(1, "unspent", founder(1), founder(2), founder(3)), func(o *Observation) {
		o.Views = []View{{From: hostURL(2), ClusterID: 7}}
	}), StepWait, FoundersDiffer, 75},
	{"all founders, no record", host(1), foundingBy(1, "none", founder(1), founder(2), founder(3)), StepWait, FounderLostDisk, 75},
	{"all founders, spent record", host(1), foundingBy(1, "spent", founder(1), founder(2), founder(3)), StepWait, FounderLostDisk, 75},
	{"not a founder", host(4), foundingBy(4, "none", founder(1), founder(2), founder(3)), StepWait, ClusterUnreachable, 75},
	{"not a founder, recorded and registered too late", host(4), foundingBy(4, "unspent", founder(1), founder(2), founder(3), founder(4)), StepWait, ClusterUnreachable, 75},
	{"not a founder, no quorum", host(4), with(foundingBy(4, "none", founder(1), founder(2), founder(3)), func(o *Observation) {
		o.Views = []View{served(2, "healthy healthy healthy")}
	}), StepWait, ClusterNoQuorum, 75},
	{"places free, but a cluster ran", host(4), with(foundingBy(4, "none", founder(1)), func(o *Observation) {
		o.Views = []View{served(2, "healthy healthy healthy")}
	}), StepWait, ClusterNoQuorum, 75},
	{"our name is registered", host(4, func(p *Policy) { p.Name = "n1" }), foundingBy(4, "none", founder(1)), StepRefuse, NameInUse, 78},
	{"our URL is registered", host(1, func(p *Policy) { p.Name = "n4" }), foundingBy(4, "none", founder(1)), StepRefuse, NameInUse, 78},
	{"garbage among the founders", host(2), foundingBy(2, "none", Entry{"1", "garbage"}), StepRefuse, DiscoveryInvalid, 78},
	{"a founder under another spelling", host(2), foundingBy(2, "none", Registration("n1", []string{hostURL(1)}, token+"/")), StepRefuse, DiscoveryInvalid, 78},
	{"one name twice", host(2), foundingBy(2, "none", founder(1), Registration("n1", []string{hostURL(3)}, token)), StepRefuse, DiscoveryInvalid, 78},
	{"one URL twice", host(2), foundingBy(2, "none", founder(1), Registration("n3", []string{hostURL(1), hostURL(3)}, token)), StepRefuse, DiscoveryInvalid, 78},
	{"garbage behind the founders", host(1), foundingBy(1, "unspent", founder(1), founder(2), founder(3), Entry{"1", "garbage"}), StepEmit, Found, 0},
	{"size zero", host(1), with(foundingBy(1, "none"), func(o *Observation) { o.Discovery.Size = 0 }), StepRefuse, DiscoveryInvalid, 78},
	{"size absurd", host(1), with(foundingBy(1, "none"), func(o *Observation) { o.Discovery.Size = 1 << 30 }), StepRefuse, DiscoveryInvalid, 78},
	{"discovery down", host(1), with(foundingBy(1, "none"), func(o *Observation) { o.Discovery.Error = "refused" }), StepWait, DiscoveryDown, 75},
	{"discovery down, a member answers", host(1), with(foundingBy(1, "none"), func(o *Observation) {
		o.Discovery.Error = "refused"
		o.Views = []View{served(2, "healthy healthy healthy")}
	}), StepWait, ClusterNoQuorum, 75},
	{"discovery lets nobody in", host(1), with(foundingBy(1, "none"), func(o *Observation) { o.Discovery.Error, o.Discovery.Refuses = "permission denied", true }), StepRefuse, DiscoveryRefused, 78},
	{"discovery lets nobody in, hints", host(1), with(foundingBy(1, "none"), func(o *Observation) {
		o.Discovery.Error, o.Discovery.Refuses = "permission denied", true
		o.Hints = []Hint{{Source: "-discovery-command"}}
	}), StepWait, DiscoveryDown, 75},
	{"token unknown", host(1), with(foundingBy(1, "none"), func(o *Observation) { o.Discovery.Missing = true }), StepRefuse, DiscoveryMissing, 78},
	{"nothing configured", host(1), Observation{Disk: Disk{State: DiskFresh}}, StepRefuse, NotConfigured, 6},
	{"endpoints that do not answer", host(1, func(p *Policy) { p.Endpoints = true }), Observation{Disk: Disk{State: DiskFresh}, Failures: []Failure{{URL: "http://x", Error: "refused"}}}, StepWait, ClusterUnreachable, 75},
}

// version makes it a cluster of an older etcd.
func version(major, minor int64) func(*Cluster) {
	return func(c *Cluster) {
		c.Version = Version{major, minor}
		for i := range c.Members {
			c.Members[i].Version = c.Version
		}
	}
}

func learner(mode LearnerMode) func(*Policy) { return func(p *Policy) { p.Learner = mode } }

// promotes is a host whose wiring runs the promotion.
func promotes(p *Policy) { p.Promotes = true }

// intent is that of host n, to join.
func intent(n int, change ...func(*Intent)) func(*Cluster) {
	return func(c *Cluster) {
		c.Intent = &Intent{Name: hostName(n), PeerURLs: []string{hostURL(n)}, Purpose: ToJoin, Lease: 7, Revision: 9, Left: Duration(100 * time.Second)}
		for _, f := range change {
			f(c.Intent)
		}
	}
}

// long is an intent that was not renewed just now.
func long(i *Intent) { i.Left = Duration(90 * time.Second) }

// stuckAfter is when a host that tries to start is given up.
const stuckAfter = Duration(IntentTime) + window

// neverStarts is an entry that was watched for so long.
func neverStarts(n int, watched Duration) Member {
	m := member(n, "added")
	m.Health.Unstarted, m.Health.Silent, m.Health.Stalled = watched, 0, watched
	return m
}

func asLearner(m Member) Member {
	m.Learner = true
	return m
}

// gone makes the members that are dead refuse connections, in a cluster whose
// etcd admits newcomers meanwhile.
func gone(c *Cluster) {
	for i := range c.Members {
		c.Members[i].AddsWhileDown = true
		c.Members[i].Health.Refused = c.Members[i].Health.Silent > 0
	}
}

// elsewhere has another member answer at the addresses of those that are dead.
func elsewhere(c *Cluster) {
	for i := range c.Members {
		if c.Members[i].Health.Silent > 0 {
			c.Members[i].Health.Refused, c.Members[i].Health.Other = false, hostURL(1)
		}
	}
}

// begun is what the cluster remembers of the join of host n, which found these
// members and was to leave as many.
func begun(n int, of ...int) func(*Cluster) {
	return func(c *Cluster) {
		c.Begun = &Intent{Name: hostName(n), PeerURLs: []string{hostURL(n)}, Purpose: ToJoin, Size: len(of), Revision: 7}
		for _, m := range of {
			c.Begun.Of = append(c.Begun.Of, founderID(m))
		}
	}
}

// withoutToken is the observation of a host that was only told endpoints.
func withoutToken(c Cluster) Observation {
	c.Named = true
	o := observed(c)
	o.Discovery = Discovery{}
	return o
}

// decideClaimed decides as a host does whose turn it is. A rule that claims for
// ever ends it too.
func decideClaimed(p Policy, o Observation) Plan {
	plan := Decide(p, o)
	for n := 0; n < 4 && (plan.Step == StepClaim || plan.Step == StepForget); n++ {
		o = o.after(p, plan)
		plan = Decide(p, o)
	}
	return plan
}

var intentCases = []decideCase{
	{"nobody changes the membership", host(4), observed(cluster("healthy healthy dead")), StepClaim, IntentClaim, 0},
	{"we do", host(4), observed(cluster("healthy healthy dead", intent(4))), StepRemove, FullDead, 0},
	{"what we began is over", host(4), observed(cluster("healthy healthy healthy", intent(4), begun(4, 1, 2, 3), alsoMember(member(4, "added")))), StepForget, JoinOver, 0},
	{"what we began is over, and the cluster keeps no intents any more", host(4), observed(cluster("healthy healthy healthy", begun(4, 1, 2, 3), alsoMember(member(4, "added")), func(c *Cluster) { c.NoIntent = "no space" })), StepEmit, JoinListed, 0},
	{"what we began took out two for one", host(4), observed(cluster("healthy healthy", intent(4), begun(4, 1, 2, 3, 5), alsoMember(member(4, "added")))), StepEmit, JoinListed, 0},
	{"another host took out two for one, and joined", host(5), withoutToken(cluster("healthy healthy", begun(4, 1, 2, 3, 5), alsoMember(member(4, "healthy")))), StepAdd, RoomToJoin, 0},
	{"another host took out two for one, and others have joined: an entry of ours", host(7, strategy(Prepare)), withoutToken(cluster("healthy healthy", begun(4, 1, 2, 3, 5), alsoMember(member(4, "healthy")), alsoMember(member(7, "added")))), StepForget, JoinOver, 0},
	{"another host took out two for one, and there were to be less", host(5), withoutToken(cluster("healthy healthy", begun(4, 1, 2, 3, 5), alsoMember(member(4, "healthy")), func(c *Cluster) { c.Begun.Size = 3 })), StepRefuse, ClusterFull, 75},
	{"another host removed one, and died", host(5), withoutToken(cluster("healthy healthy", begun(4, 1, 2, 3))), StepAdd, RoomToJoin, 0},
	{"another host removed one, added itself, and died", host(5), withoutToken(cluster("healthy healthy", begun(4, 1, 2, 3), alsoMember(member(4, "abandoned")))), StepRemove, FullDead, 0},
	{"another host began, and died before it changed anything", host(5), withoutToken(cluster("healthy healthy healthy", begun(4, 1, 2, 3), func(c *Cluster) { c.Begun.Size = 5 })), StepRefuse, ClusterFull, 75},
	{"another host removed one, and others have joined since", host(5), withoutToken(cluster("healthy healthy", begun(4, 1, 2, 3), alsoMember(member(6, "healthy")), func(c *Cluster) { c.Begun.Size = 5 })), StepRefuse, ClusterFull, 75},
	{"two hosts died over it, one after the other", host(6), withoutToken(cluster("healthy healthy", begun(5, 1, 2, 3))), StepAdd, RoomToJoin, 0},
	{"another host does", host(4), observed(cluster("healthy healthy dead", intent(5))), StepWait, JoinInFlight, 75},
	{"another host starts our name", host(4, size(5)), observed(cluster("healthy healthy healthy", intent(5), alsoMember(func() Member { m := asLearner(member(5, "silent")); m.Name = hostName(4); return m }()))), StepWait, JoinInFlight, 75},
	{"another host starts at one of our URLs", host(4, size(5)), observed(cluster("healthy healthy healthy", intent(5, func(i *Intent) { i.PeerURLs = append(i.PeerURLs, hostURL(4)) }), alsoMember(func() Member { m := member(5, "added"); m.PeerURLs = append(m.PeerURLs, hostURL(4)); return m }()))), StepWait, JoinInFlight, 75},
	{"data, moved here, another host starts that member", host(4), hasData(1, cluster("silent healthy healthy", intent(1), func(c *Cluster) { c.Members[0].Learner = true })), StepWait, JoinInFlight, 75},
	{"another host is being added", host(4, size(5)), observed(cluster("healthy healthy healthy", intent(5), alsoMember(member(5, "added")))), StepWait, JoinInFlight, 75},
	{"another host is being added, and then it is full", host(4, size(4)), observed(cluster("healthy healthy healthy", intent(5), alsoMember(member(5, "abandoned")))), StepWait, JoinInFlight, 75},
	{"another host has come up", host(4, size(4)), observed(cluster("healthy healthy healthy", intent(5), alsoMember(member(5, "healthy")))), StepRefuse, ClusterFull, 75},
	{"another host has come up, room", host(4, size(6)), observed(cluster("healthy healthy healthy", intent(5), alsoMember(member(5, "healthy")))), StepClaim, IntentClaim, 0},
	{"another host has come up and died again", host(4, size(6)), observed(cluster("healthy healthy healthy", intent(5), alsoMember(func() Member { m := member(5, "dead"); m.Health.Refused = true; return m }()))), StepClaim, IntentClaim, 0},
	{"another host's former self is still listed", host(4, size(6)), observed(cluster("healthy healthy healthy", intent(5, func(i *Intent) { i.Former = founderID(5) }), alsoMember(member(5, "dead")))), StepWait, JoinInFlight, 75},
	{"another host has come up as a learner", host(4, size(6)), observed(cluster("healthy healthy healthy", intent(5), alsoMember(asLearner(member(5, "healthy"))))), StepWait, JoinInFlight, 75},
	{"another host has come up, and the member it replaces is still there", host(4, size(6)), observed(cluster("healthy healthy healthy", intent(5, func(i *Intent) { i.Replaces = founderID(1) }), alsoMember(member(5, "healthy")))), StepWait, JoinInFlight, 75},
	{"another host leaves", host(4, size(5)), observed(cluster("healthy healthy healthy", intent(3, func(i *Intent) { i.Purpose = ToLeave }))), StepWait, JoinInFlight, 75},
	{"another host died over it", host(4), observed(cluster("healthy healthy dead", intent(5, func(i *Intent) { i.Left = 0 }))), StepClaim, IntentClaim, 0},
	{"our intent is of a leave that died", host(4), observed(cluster("healthy healthy", intent(4, func(i *Intent) { i.Purpose = ToLeave }), begun(4, 1, 2))), StepClaim, IntentClaim, 0},
	{"our intent does not say whom we replace", host(6, promotes, size(5)), observed(cluster("healthy healthy healthy healthy dead", gone, intent(6), begun(6, 1, 2, 3, 4, 5))), StepClaim, IntentClaim, 0},
	{"another host's etcd starts for too long", host(5), observed(cluster("healthy healthy", intent(4, long), alsoMember(neverStarts(4, stuckAfter)))), StepClaim, IntentClaim, 0},
	{"the same, and it is our turn", host(5), observed(cluster("healthy healthy", intent(5), begun(5, 1, 2, 4), alsoMember(neverStarts(4, stuckAfter)))), StepRemove, FullDead, 0},
	{"another host's etcd starts, and may still come up", host(5), observed(cluster("healthy healthy", intent(4, long), alsoMember(neverStarts(4, stuckAfter-1)))), StepWait, JoinInFlight, 75},
	{"another host's etcd starts for too long, and it has just renewed its intent", host(5), observed(cluster("healthy healthy", intent(4, func(i *Intent) { i.Left = Duration(IntentTime) }), alsoMember(neverStarts(4, stuckAfter)))), StepWait, JoinInFlight, 75},
	{"another host leaves, and an entry of its never started", host(5), observed(cluster("healthy healthy", intent(4, long, func(i *Intent) { i.Purpose = ToLeave }), alsoMember(neverStarts(4, stuckAfter)))), StepWait, JoinInFlight, 75},
	{"another host was given our peer URLs, and is about to start", host(4, func(p *Policy) { p.Name = "n9" }), observed(cluster("healthy healthy", intent(4), alsoMember(member(4, "added")))), StepWait, JoinInFlight, 75},
	{"intents cannot be put there, and another host could", host(4), observed(cluster("healthy healthy dead", intent(5), func(c *Cluster) { c.NoIntent = "no space" })), StepWait, JoinInFlight, 75},
	{"intents cannot be put there, and another host's is done", host(4), observed(cluster("healthy healthy dead", intent(2), func(c *Cluster) { c.NoIntent = "no space" })), StepRemove, FullDead, 0},
	{"our intent is old", host(4), observed(cluster("healthy healthy dead", intent(4, runningOut), begun(4, 1, 2, 3))), StepClaim, IntentRenew, 0},
	{"we do, and what we began is not known", host(4), observed(cluster("healthy healthy dead", intent(4))), StepClaim, IntentClaim, 0},
	{"we do, and another host's join is known", host(4), observed(cluster("healthy healthy dead", intent(4), begun(5, 1, 2, 3))), StepClaim, IntentClaim, 0},
	{"intents cannot be read now", host(4), observed(cluster("healthy healthy dead", func(c *Cluster) { c.Intent = &Intent{Unclear: "timeout"} })), StepWait, JoinInFlight, 75},
	{"intents cannot be", host(4), observed(cluster("healthy healthy dead", func(c *Cluster) { c.NoIntent = "permission denied" })), StepRemove, FullDead, 0},
	{"our entry waits, and another host changes the list", host(4), observed(cluster("healthy healthy added", intent(5), alsoMember(member(4, "added")))), StepWait, JoinInFlight, 75},
	{"our prepared entry waits, and another host changes the list", host(4, strategy(Prepare)), observed(cluster("healthy healthy healthy added", intent(5))), StepWait, JoinInFlight, 75},
	{"a size that our intent remembers", host(4), withoutToken(cluster("healthy healthy", intent(4, func(i *Intent) { i.Size = 3 }))), StepAdd, RoomToJoin, 0},
	{"data, moved here, another host changes the membership", host(4), hasData(1, cluster("dead healthy healthy", intent(5))), StepWait, JoinInFlight, 75},
}

var learnerCases = []decideCase{
	{"a learner, as a promotion follows", host(4, promotes), observed(cluster("healthy healthy")), StepAdd, RoomToJoin, 0},
	{"learners in 3.3", host(4, learner(LearnerAlways)), with(observed(cluster("healthy healthy", version(3, 3))), func(o *Observation) { o.EtcdVersion = Version{3, 3} }), StepRefuse, NoLearners, 78},
	{"learners in a young cluster that says 3.0", host(4, promotes), observed(cluster("healthy healthy", func(c *Cluster) { c.Version = undecidedVersion })), StepAdd, RoomToJoin, 0},
	{"a second learner", host(4, promotes, size(5)), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "stalled"))))), StepWait, LearnerInFlight, 75},
	{"a second learner, the first is being started", host(4, promotes, size(5)), observed(cluster("healthy healthy healthy", intent(5), alsoMember(asLearner(member(5, "added"))))), StepWait, JoinInFlight, 75},
	{"a second learner, the first may be dead", host(4, promotes, size(5)), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "silent"))))), StepWatch, WatchMembers, 75},
	{"a second learner, the first is dead", host(4, promotes, size(5)), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "dead"))), gone)), StepRemove, PruneDead, 0},
	{"a second learner, the first is dead, add", host(4, promotes, size(5), strategy(Add)), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "dead"))))), StepWait, LearnerInFlight, 75},
	{"a voter beside a learner", host(4, size(5)), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "stalled"))))), StepAdd, RoomToJoin, 0},
	{"full with a learner", host(4, size(4)), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "stalled"))))), StepRefuse, ClusterFull, 75},
	{"full with a learner that catches up", host(4, size(4)), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "behind"))))), StepWait, LearnerInFlight, 75},
	{"full with a learner that catches up, add", host(4, size(4), strategy(Add)), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "behind"))))), StepWait, LearnerInFlight, 75},
	{"full with a learner that catches up, beside a dead voter", host(6, size(5)), observed(cluster("healthy healthy healthy healthy dead", alsoMember(asLearner(member(7, "behind"))))), StepWait, LearnerInFlight, 75},
	{"full with a learner that catches up and is one too many", host(4), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "behind"))))), StepRefuse, ClusterFull, 75},
	{"full with a dead learner", host(4), observed(cluster("healthy healthy", alsoMember(asLearner(member(5, "dead"))))), StepRemove, FullDead, 0},
	{"a learner that nobody promotes", host(4), observed(cluster("healthy healthy", alsoMember(asLearner(member(5, "healthy"))))), StepPromote, LearnerLeft, 0},
	{"a learner that somebody promotes", host(4), observed(cluster("healthy healthy", intent(5), alsoMember(asLearner(member(5, "healthy"))))), StepWait, JoinInFlight, 75},
	{"a learner that would be one too many", host(4), observed(cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "healthy"))))), StepRefuse, ClusterFull, 75},
	{"a learner whose vote would be a risk", host(4, size(5)), observed(cluster("healthy dead dead", alsoMember(asLearner(member(5, "healthy"))))), StepWait, QuorumAtRisk, 75},
	{"beside the dead one of five", host(6, promotes, size(5)), observed(cluster("healthy healthy healthy healthy dead", gone)), StepAdd, RoomToReplace, 0},
	{"beside the dead one of three", host(4, promotes), observed(cluster("healthy healthy dead", gone)), StepRemove, FullDead, 0},
	{"beside the dead one of five, whose address is another member's", host(6, promotes, size(5)), observed(cluster("healthy healthy healthy healthy dead", gone, elsewhere)), StepAdd, RoomToReplace, 0},
	{"beside the hanging one of five", host(6, promotes, size(5)), observed(cluster("healthy healthy healthy healthy dead", gone, func(c *Cluster) { c.Members[4].Health.Refused = false })), StepRemove, FullDead, 0},
	{"beside the dead one of five, an etcd that does not admit it", host(6, promotes, size(5)), observed(cluster("healthy healthy healthy healthy dead", gone, func(c *Cluster) { c.Members[0].AddsWhileDown = false })), StepRemove, FullDead, 0},
	{"beside the dead one of five, as a voter", host(6, size(5)), observed(cluster("healthy healthy healthy healthy dead", gone)), StepRemove, FullDead, 0},
	{"beside the dead one of five, wrong version", host(6, promotes, size(5)), with(observed(cluster("healthy healthy healthy healthy dead", gone)), func(o *Observation) { o.EtcdVersion = Version{3, 8} }), StepRefuse, VersionSkew, 78},
}

func allCases() []decideCase {
	var all []decideCase
	for _, some := range [][]decideCase{dataCases, collisionCases, intentCases, learnerCases, strategyCases, foundingCases, preflightCases, barredCases, listedCases, foreignCases} {
		all = append(all, some...)
	}
	return all
}

func TestDecide(t *testing.T) {
	for _, c := range allCases() {
		c.check(t)
	}
}

// Every reason has a case here and a row in the decision table for people.
func TestEveryReasonIsReached(t *testing.T) {
	table, err := os.ReadFile("../docs/decision-table.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	reached := map[Reason]bool{StepFailed: true} // Run's own, see run_test.go
	for _, c := range slices.Concat(allCases(), promotionCases, leaveCases) {
		reached[c.reason] = true
	}
	for _, line := range strings.Split(string(source), "\n") {
		_, value, found := strings.Cut(line, `Reason = "`)
		if !found {
			continue
		}
		reason, _, _ := strings.Cut(value, `"`)
		if !reached[Reason(reason)] {
			t.Errorf("no case reaches %s", reason)
		}
		if !strings.Contains(string(table), "`"+reason+"`") {
			t.Errorf("docs/decision-table.md has no row for %s", reason)
		}
	}
}

// The same decision comes out of an observation that went through JSON, as
// plan --observation reads it.
func TestObservationSurvivesJSON(t *testing.T) {
	for _, c := range allCases() {
		b, err := json.Marshal(c.obs)
		if err != nil {
			t.Fatal(err)
		}
		var back Observation
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		c.obs = back
		c.check(t)
	}
}

func TestEmitted(t *testing.T) {
	for _, c := range []struct {
		name    string
		policy  Policy
		obs     Observation
		cluster string
		token   string
	}{
		{"founding lists the founders in the order of registration", host(1),
			foundingBy(1, "unspent", founder(2), founder(1), founder(3)),
			"n2=http://10.0.0.2:2380,n1=http://10.0.0.1:2380,n3=http://10.0.0.3:2380", token},
		{"joining lists everybody: dead, unstarted, learners; each by a name of its own", host(4),
			observed(cluster("healthy dead", alsoMember(
				Member{ID: 0x33, Name: "n4", PeerURLs: []string{hostURL(3)}, ClientURLs: []string{"x"}, Health: member(3, "dead").Health},
				member(4, "added"),
				Member{ID: 0x55, PeerURLs: []string{"http://10.0.0.5:2381", "http://10.0.0.5:2380"}},
				Member{ID: 0x66, Name: "a,b=c $x", PeerURLs: []string{"http://10.0.0.6:2380"}, ClientURLs: []string{"x"}, Learner: true}))),
			"member-33=http://10.0.0.3:2380,member-55=http://10.0.0.5:2380,member-55=http://10.0.0.5:2381,member-66=http://10.0.0.6:2380,n1=http://10.0.0.1:2380,n2=http://10.0.0.2:2380,n4=http://10.0.0.4:2380", ""},
		{"resuming lists nobody", host(1), hasData(1, cluster("healthy healthy healthy")), "", ""},
	} {
		config := decideClaimed(c.policy, c.obs).Config
		if config == nil {
			t.Errorf("%s: nothing is emitted", c.name)
			continue
		}
		if got := initialCluster(config.InitialCluster); got != c.cluster {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.cluster)
		}
		if config.InitialClusterToken != c.token {
			t.Errorf("%s: token %q, want %q", c.name, config.InitialClusterToken, c.token)
		}
	}
}

// A member that joined tells the discovery service, but never takes a place
// that is a founder's.
func TestAnnouncement(t *testing.T) {
	joined := observed(cluster("healthy healthy healthy added", intent(4)))
	if e := Decide(host(4), joined).Entry; e == nil || *e != founder(4) {
		t.Errorf("joined: announced %v, want %v", e, founder(4))
	}
	for name, o := range map[string]Observation{
		"known":         with(joined, func(o *Observation) { o.Discovery.Entries = append(o.Discovery.Entries, founder(4)) }),
		"places free":   with(joined, func(o *Observation) { o.Discovery = disco(founder(1)) }),
		"service down":  with(joined, func(o *Observation) { o.Discovery.Error = "refused" }),
		"no discovery":  with(joined, func(o *Observation) { o.Discovery = Discovery{} }),
		"token unknown": with(joined, func(o *Observation) { o.Discovery.Missing = true }),
	} {
		if e := Decide(host(4), o).Entry; e != nil {
			t.Errorf("%s: announced %v", name, e)
		}
	}
}

func TestForesee(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy Policy
		obs    Observation
		want   string
	}{
		{"replace", host(4), observed(cluster("healthy healthy dead")), "claim remove add forget emit"},
		{"prune two of five", host(6, strategy(Prune), size(5)), observed(cluster("healthy healthy healthy dead dead")), "claim remove remove add emit"},
		{"former self", host(3), observed(cluster("healthy healthy dead")), "claim remove add forget emit"},
		{"former self without a size", host(3), withoutToken(cluster("healthy healthy dead")), "claim remove add forget emit"},
		{"removed, room", host(1), hasData(1, cluster("", alsoMember(member(2, "healthy"), member(3, "healthy")))), "archive claim add forget emit"},
		{"moved", host(4), hasData(1, cluster("dead healthy healthy")), "claim update emit"},
		{"first founder", host(1), foundingBy(1, "none"), "record register wait"},
		{"last founder", host(3), foundingBy(3, "none", founder(1), founder(2)), "record register emit"},
		{"resume", host(1), hasData(1), "emit"},
	} {
		var steps []string
		for _, plan := range Foresee(c.policy, c.obs) {
			steps = append(steps, string(plan.Step))
		}
		if got := strings.Join(steps, " "); got != c.want {
			t.Errorf("%s: foresees %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAddressesAsked(t *testing.T) {
	for n, want := range map[int]string{0: "at 0 addresses", 1: "at 1 address", 2: "at 2 addresses"} {
		if p := noQuorum(Observation{Contacts: n}); !strings.HasSuffix(p.Text, want) {
			t.Errorf("%d addresses: %q, want %q", n, p.Text, want)
		}
	}
}
