package joiner

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func at(urls ...string) func(*Policy) { return func(p *Policy) { p.PeerURLs = urls } }

// all gives every member these peer URLs, with %d for its number.
func all(pattern string) func(*Cluster) {
	return func(c *Cluster) {
		for i := range c.Members {
			c.Members[i].PeerURLs = []string{fmt.Sprintf(pattern, i+1)}
		}
	}
}

func preflight(f Preflight, states string, change ...func(*Cluster)) Observation {
	return with(observed(cluster(states, change...)), func(o *Observation) { o.Preflight = f })
}

var (
	unresolved  = Preflight{Unresolved: []Fault{{What: "n4.example", Wrong: "no such host"}}}
	badCert     = Preflight{Certificate: []Fault{{What: "/etc/peer.pem", Wrong: "it names nobody"}}}
	notRoot     = func(c *Cluster) { c.Barred = &Barred{AuthFailed, "user \"u\" has not the role root"} }
	needsUser   = func(c *Cluster) { c.Barred = &Barred{AuthRequired, "no user is given"} }
	onThreePort = "http://127.0.0.1:238%d"
)

var preflightCases = []decideCase{
	{"a full disk", host(4, size(5)), with(observed(cluster("healthy healthy healthy")), func(o *Observation) { o.Disk.Short = "2 MB are free beside /data" }), StepRefuse, DataNoSpace, 75},
	{"a full disk, nobody is removed for it", host(4), with(observed(cluster("healthy healthy dead")), func(o *Observation) { o.Disk.Short = "2 MB are free beside /data" }), StepRefuse, DataNoSpace, 75},
	{"a founder on a full disk", host(1), with(foundingBy(1, "none"), func(o *Observation) { o.Disk.Short = "2 MB are free beside /data" }), StepRefuse, DataNoSpace, 75},
	{"a founder on a read-only disk", host(1), with(foundingBy(1, "none"), func(o *Observation) { o.Disk.ReadOnly = "/data" }), StepRefuse, DataReadOnly, 78},
	{"a read-only disk", host(4, size(5)), with(observed(cluster("healthy healthy healthy")), func(o *Observation) { o.Disk.ReadOnly = "/data" }), StepRefuse, DataReadOnly, 78},
	{"localhost among hosts", host(4, size(5), at("http://localhost:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"localhost in other letters", host(4, size(5), at("http://LocalHost.:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"IPv4 loopback among hosts", host(4, size(5), at("http://127.0.1.1:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"IPv6 loopback among hosts", host(4, size(5), at("http://[::1]:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"mapped loopback among hosts", host(4, size(5), at("http://[::ffff:127.0.0.1]:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"unspecified among hosts", host(4, size(5), at("http://0.0.0.0:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"unspecified IPv6 among hosts", host(4, size(5), at("http://[::]:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"mapped unspecified among hosts", host(4, size(5), at("http://[::ffff:0.0.0.0]:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"one of two is a loopback", host(4, size(5), at(hostURL(4), "http://127.0.0.1:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"localhost among hosts, nobody is removed for it", host(4, at("http://localhost:2380")), observed(cluster("healthy healthy dead")), StepRefuse, AdvertiseLoopback, 78},
	{"localhost among hosts, nobody is watched for it", host(4, at("http://localhost:2380")), observed(cluster("healthy healthy silent")), StepRefuse, AdvertiseLoopback, 78},
	{"all on one host", host(4, size(5), at("http://127.0.0.1:2384")), observed(cluster("healthy healthy healthy", all(onThreePort))), StepAdd, RoomToJoin, 0},
	{"an entry that never ran is elsewhere", host(4, size(5), at("http://127.0.0.1:2384")), observed(cluster("healthy healthy healthy", all(onThreePort), alsoMember(member(5, "abandoned")))), StepAdd, RoomToJoin, 0},
	{"a name among hosts", host(4, size(5), at("http://n4.example:2380")), observed(cluster("healthy healthy healthy")), StepAdd, RoomToJoin, 0},

	{"https among http", host(4, size(5), at("https://10.0.0.4:2380")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseScheme, 78},
	{"http among https", host(4, size(5)), observed(cluster("healthy healthy healthy", all("https://10.0.0.%d:2380"))), StepRefuse, AdvertiseScheme, 78},
	{"both among http", host(4, size(5), at(hostURL(4), "https://10.0.0.4:2381")), observed(cluster("healthy healthy healthy")), StepRefuse, AdvertiseScheme, 78},
	{"https among https", host(4, size(5), at("https://10.0.0.4:2380")), observed(cluster("healthy healthy healthy", all("https://10.0.0.%d:2380"))), StepAdd, RoomToJoin, 0},
	{"https among both", host(4, size(5), at("https://10.0.0.4:2380")), observed(cluster("healthy healthy healthy", func(c *Cluster) { c.Members[0].PeerURLs = []string{"https://10.0.0.1:2380"} })), StepAdd, RoomToJoin, 0},

	{"a name that does not resolve", host(4, size(5), at("http://n4.example:2380")), preflight(unresolved, "healthy healthy healthy"), StepRefuse, AdvertiseUnresolved, 75},
	{"a bad certificate", host(4, size(5)), preflight(badCert, "healthy healthy healthy"), StepRefuse, PeerCertificate, 78},
	{"a certificate that is out of date", host(4, size(5)), preflight(Preflight{Certificate: []Fault{{What: "/etc/peer.pem", Wrong: "it ended yesterday", Dated: true}}}, "healthy healthy healthy"), StepRefuse, PeerCertificate, 75},
	{"a certificate that is out of date, and another one's key", host(4, size(5)), preflight(Preflight{Certificate: []Fault{{What: "/etc/peer.pem", Wrong: "it ended yesterday", Dated: true}, badCert.Certificate[0]}}, "healthy healthy healthy"), StepRefuse, PeerCertificate, 78},
	{"a bad certificate, nobody is removed for it", host(4), preflight(badCert, "healthy healthy dead"), StepRefuse, PeerCertificate, 78},
	{"a bad certificate, prepare", host(4, strategy(Prepare)), preflight(badCert, "healthy healthy healthy added"), StepEmit, JoinListed, 0},
	{"a bad certificate, data", host(1), with(hasData(1, cluster("healthy healthy healthy")), func(o *Observation) { o.Preflight = badCert }), StepEmit, ResumeMember, 0},
	{"localhost, data", host(1, at("http://localhost:2380")), hasData(1, cluster("healthy healthy healthy", func(c *Cluster) { c.Members[0].PeerURLs = []string{"http://localhost:2380"} })), StepEmit, ResumeMember, 0},

	{"moved to localhost", host(1, at("http://localhost:2380")), hasData(1, cluster("dead healthy healthy")), StepRefuse, AdvertiseLoopback, 78},
	{"moved on one host", host(1, at("http://127.0.0.1:2389")), hasData(1, cluster("dead healthy healthy", all(onThreePort), func(c *Cluster) { c.Members[0].PeerURLs = []string{hostURL(1)} })), StepUpdate, DataMoved, 0},
	{"changing over to https", host(1, at("https://10.0.0.1:2380")), hasData(1, cluster("dead healthy healthy")), StepUpdate, DataMoved, 0},
	{"moved with a bad certificate", host(4), with(hasData(1, cluster("dead healthy healthy")), func(o *Observation) { o.Preflight = badCert }), StepRefuse, PeerCertificate, 78},
	{"moved, not root", host(4), hasData(1, cluster("dead healthy healthy", notRoot)), StepRefuse, AuthFailed, 78},

	{"a founder at localhost, the first", host(1, at("http://localhost:2380")), foundingBy(1, "none"), StepRecord, FounderRecord, 0},
	{"a founder at localhost, others elsewhere", host(3, at("http://localhost:2380")), foundingBy(3, "none", founder(1)), StepRefuse, AdvertiseLoopback, 78},
	{"a founder with https, another with http", host(3, at("https://10.0.0.3:2380")), foundingBy(3, "none", founder(1)), StepRefuse, AdvertiseScheme, 78},
	{"a founder with a bad certificate", host(1), with(foundingBy(1, "unspent"), func(o *Observation) { o.Preflight = badCert }), StepRefuse, PeerCertificate, 78},
	{"a founder whose name nobody knows", host(1), with(foundingBy(1, "unspent"), func(o *Observation) { o.Preflight = unresolved }), StepRefuse, AdvertiseUnresolved, 75},
	{"a founder with a bad certificate, registered", host(1), with(foundingBy(1, "unspent", founder(1)), func(o *Observation) { o.Preflight = badCert }), StepWait, FoundersMissing, 75},
	{"a founder at localhost that is registered", host(1, at("http://localhost:2380")), with(foundingBy(1, "none", founder(2), Registration("n1", []string{"http://localhost:2380"}, token)), func(*Observation) {}), StepRecord, FounderRecord, 0},

	{"not root, room", host(4, size(5)), observed(cluster("healthy healthy healthy", notRoot)), StepRefuse, AuthFailed, 78},
	{"not root, one dead", host(4), observed(cluster("healthy healthy dead", notRoot)), StepRefuse, AuthFailed, 78},
	{"nobody, room", host(4, size(5)), observed(cluster("healthy healthy healthy", needsUser)), StepRefuse, AuthRequired, 78},
	{"not root, prepared", host(4, strategy(Prepare)), observed(cluster("healthy healthy healthy added", notRoot)), StepEmit, JoinListed, 0},
	{"not root, data", host(1), hasData(1, cluster("healthy healthy healthy", notRoot)), StepEmit, ResumeMember, 0},
}

// failed are the failures of asking the client ports of n1, n2 and so on, of
// which a member or the data tells, or which were guessed.
func failed(o Observation, bars ...Reason) Observation {
	for i, b := range bars {
		f := Failure{URL: strings.Replace(hostURL(i+1), "2380", "2379", 1), Error: "no", Bar: b, For: hostURL(i + 1)}
		if len(o.Views) > 0 || o.Disk.State == DiskData {
			f.Of, f.For = []ID{clusterID}, ""
		}
		o.Failures = append(o.Failures, f)
	}
	return o
}

// dated has TLS fail over dates alone.
func dated(o Observation) Observation {
	for i := range o.Failures {
		o.Failures[i].Dated = true
	}
	return o
}

// rotating has a password that was right before be refused.
func rotating(o Observation) Observation {
	for i := range o.Failures {
		o.Failures[i].Rotates = o.Failures[i].Bar == AuthFailed
	}
	return o
}

func standby(p *Policy) { p.Standby = true }

// stale is a registration whose address somebody else has by now.
func stale(o Observation, bar Reason, change ...func(*Failure)) Observation {
	f := Failure{URL: "https://10.0.0.7:2379", For: "https://10.0.0.7:2380", Error: "no", Bar: bar}
	for _, c := range change {
		c(&f)
	}
	o.Failures = append(o.Failures, f)
	return o
}

func nobodyAnswers() Observation {
	return foundingBy(4, "none", founder(1), founder(2), founder(3))
}

// onlyPeers is a cluster whose peer ports alone answer.
func onlyPeers() Observation {
	return with(nobodyAnswers(), func(o *Observation) { o.Views = []View{served(2, "healthy healthy healthy")} })
}

// leaderless is a cluster without a quorum, whose client ports say so.
func leaderless() Observation {
	v := served(2, "healthy healthy healthy")
	v.From = "http://10.0.0.2:2379"
	return with(nobodyAnswers(), func(o *Observation) {
		o.Views = []View{v}
		o.Failures = []Failure{{URL: v.From, Error: "it knows no leader"}}
	})
}

var barredCases = []decideCase{
	{"a user is wanted", host(4), failed(nobodyAnswers(), AuthRequired, AuthRequired), StepRefuse, AuthRequired, 78},
	{"a user is wanted by one founder only", host(4), failed(nobodyAnswers(), AuthRequired), StepWait, ClusterUnreachable, 75},
	{"a user is wanted at a stale registration", host(4), stale(nobodyAnswers(), AuthRequired), StepWait, ClusterUnreachable, 75},
	{"a user is wanted at a stale registration, of another cluster", host(4), stale(nobodyAnswers(), AuthRequired, func(f *Failure) { f.Of = []ID{7} }), StepWait, ClusterUnreachable, 75},
	{"a user is wanted at an address that the admin names", host(4), stale(nobodyAnswers(), AuthRequired, func(f *Failure) { f.Named = true }), StepRefuse, AuthRequired, 78},
	{"a founder lost its disk, TLS fails at a stale registration", host(1), stale(nobodyAnswers(), TLSFailed), StepWait, FounderLostDisk, 75},
	{"a user is wanted, peers answer", host(4), failed(onlyPeers(), AuthRequired, AuthRequired), StepRefuse, AuthRequired, 78},
	{"a wrong password, peers answer", host(4), failed(onlyPeers(), "", AuthFailed), StepRefuse, AuthFailed, 78},
	{"a wrong password, standby", host(4, standby), failed(onlyPeers(), "", AuthFailed), StepRefuse, AuthFailed, 78},
	{"a password changed", host(4), rotating(failed(onlyPeers(), "", AuthFailed)), StepRefuse, AuthFailed, 78},
	{"a password changed, standby", host(4, standby), rotating(failed(onlyPeers(), "", AuthFailed)), StepWait, AuthFailed, 75},
	{"a password changed, one is not told it, standby", host(4, standby), with(rotating(failed(onlyPeers(), AuthFailed, AuthFailed)), func(o *Observation) { o.Failures[0].Rotates = false }), StepWait, AuthFailed, 75},
	{"a user is wanted, discovery down", host(4), failed(with(nobodyAnswers(), func(o *Observation) { o.Discovery.Error = "refused" }), AuthRequired, AuthRequired), StepRefuse, AuthRequired, 78},
	{"a user is wanted, endpoints only", host(4, func(p *Policy) { p.Endpoints = true }), failed(Observation{Disk: Disk{State: DiskFresh}}, AuthRequired), StepRefuse, AuthRequired, 78},
	{"a user is wanted of a founder that lost its disk", host(1), failed(with(onlyPeers(), func(*Observation) {}), AuthRequired), StepRefuse, AuthRequired, 78},
	{"a user is wanted at one, another has a quorum", host(4, size(5)), failed(observed(cluster("healthy healthy healthy")), AuthRequired), StepAdd, RoomToJoin, 0},
	{"a user is wanted, data", host(1), failed(hasData(1), AuthRequired), StepEmit, ResumeUnconfirmed, 0},
	{"a user is wanted, data, peers answer", host(1), failed(with(hasData(1), func(o *Observation) { o.Views = onlyPeers().Views }), AuthRequired), StepEmit, ResumeUnconfirmed, 0},
	{"TLS fails, data, peers answer", host(1), failed(with(hasData(1), func(o *Observation) { o.Views = onlyPeers().Views }), TLSFailed), StepWatch, WatchMembers, 75},
	{"a user is wanted, founding", host(1), failed(foundingBy(1, "unspent", founder(1), founder(2), founder(3)), AuthRequired), StepEmit, Found, 0},
	{"TLS fails everywhere", host(4), failed(nobodyAnswers(), TLSFailed, TLSFailed), StepRefuse, TLSFailed, 78},
	{"TLS fails at one, the others are silent", host(4), failed(nobodyAnswers(), TLSFailed, ""), StepWait, ClusterUnreachable, 75},
	{"TLS fails everywhere over a date", host(4), dated(failed(nobodyAnswers(), TLSFailed, TLSFailed)), StepWait, TLSFailed, 75},
	{"TLS fails over a date at one, over the CA at another", host(4), with(failed(nobodyAnswers(), TLSFailed, TLSFailed), func(o *Observation) { o.Failures[0].Dated = true }), StepRefuse, TLSFailed, 78},
	{"TLS fails at client ports, peers answer", host(4), failed(onlyPeers(), TLSFailed), StepRefuse, TLSFailed, 78},
	{"TLS fails at one, the other has no quorum", host(4), failed(leaderless(), TLSFailed), StepWait, ClusterNoQuorum, 75},
	{"TLS fails, data", host(1), failed(hasData(1), TLSFailed), StepEmit, ResumeUnconfirmed, 0},
	{"only peer ports answer", host(4), failed(onlyPeers(), "", ""), StepWait, ClusterNoQuorum, 75},
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Policy
		o    Observation
		want []string
	}{
		{"nothing", host(1), hasData(1, cluster("healthy healthy healthy")), nil},
		{"localhost", host(1, at("http://localhost:2380")), hasData(1), []string{"http://localhost:2380"}},
		{"certificate and name", host(1), with(hasData(1), func(o *Observation) {
			o.Preflight = Preflight{Unresolved: unresolved.Unresolved, Certificate: badCert.Certificate}
		}), []string{"it names nobody", "no such host"}},
		{"the cluster could not be asked", host(1), failed(hasData(1), AuthRequired), []string{"auth-required"}},
		{"the discovery is down", host(1), with(hasData(1, cluster("healthy healthy healthy")), func(o *Observation) {
			o.Discovery = Discovery{Kind: "v2", Token: token, Error: "http://disco: refused"}
		}), []string{"http://disco: refused: it may not lead later hosts"}},
		{"the token is gone", host(1), with(hasData(1, cluster("healthy healthy healthy")), func(o *Observation) { o.Discovery = Discovery{Kind: "v2", Token: token, Missing: true} }), []string{"there is no such token"}},
		{"this etcd is not known", host(1), ofVersion(0, 0, hasData(1, cluster("dead healthy healthy"))), []string{"is not known"}},
		{"this etcd is not known, and may be any", host(1, func(p *Policy) { p.AnyVersion = true }), ofVersion(0, 0, hasData(1, cluster("dead healthy healthy"))), nil},
		{"this etcd is too old", host(1), ofVersion(3, 5, hasData(1, cluster("dead healthy healthy"))), []string{"is 3.5 and cluster"}},
		{"this etcd is too old, downgrading", host(1), ofVersion(3, 5, hasData(1, cluster("dead healthy healthy", downgrading))), nil},
		{"another member could", host(1), failed(hasData(1, cluster("healthy healthy healthy")), AuthRequired), nil},
	} {
		got := Warnings(c.p, c.o)
		if !slices.EqualFunc(got, c.want, strings.Contains) {
			t.Errorf("%s: warns %q, want %q", c.name, got, c.want)
		}
	}
}

// A promotion is a change of the membership too.
func TestPromotionBarred(t *testing.T) {
	for _, c := range []decideCase{
		{"not root", host(4), learnerHere("healthy", cluster("healthy healthy", notRoot)), StepRefuse, AuthFailed, 78},
		{"a user is wanted", host(4), failed(hasData(4), AuthRequired), StepRefuse, AuthRequired, 78},
		{"a user is wanted at a stale registration", host(4), stale(hasData(4), AuthRequired), StepWait, ClusterNoQuorum, 75},
		{"a voter, not root", host(1), hasData(1, cluster("healthy healthy healthy", notRoot)), StepDone, PromoteDone, 0},
	} {
		plan := DecidePromotion(c.policy, c.obs)
		if plan.Step != c.step || plan.Reason != c.reason || plan.Exit != c.exit {
			t.Errorf("%s: %s %s exit %d: %s", c.name, plan.Step, plan.Reason, plan.Exit, plan.Text)
		}
	}
}

// So is leaving.
func TestLeaveBarred(t *testing.T) {
	for _, c := range []decideCase{
		{"not root", host(1), hasData(1, cluster("healthy healthy healthy", notRoot)), StepRefuse, AuthFailed, 78},
		{"a user is wanted", host(1), failed(hasData(1), AuthRequired), StepRefuse, AuthRequired, 78},
		{"a user is wanted at a stale registration", host(1), stale(hasData(1), AuthRequired), StepWait, ClusterUnreachable, 75},
		{"no member of it, not root", host(4), observed(cluster("healthy healthy healthy", notRoot)), StepDone, LeaveDone, 0},
	} {
		plan := DecideLeave(c.policy, c.obs)
		if plan.Step != c.step || plan.Reason != c.reason || plan.Exit != c.exit {
			t.Errorf("%s: %s %s exit %d: %s", c.name, plan.Step, plan.Reason, plan.Exit, plan.Text)
		}
	}
}
