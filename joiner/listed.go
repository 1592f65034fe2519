package joiner

import "fmt"

// The kinds of sources that a cluster can be founded through.
const (
	KindV2     = "v2"     // a discovery URL
	KindV3     = "v3"     // a token in a v3 etcd
	KindStatic = "static" // -initial-cluster
	KindSRV    = "srv"    // DNS SRV records
)

// Listed tells whether the source is a list that somebody wrote down, which
// cannot tell who was here already. It founds on the admin's word alone
// (-initial-cluster-state=new), and a host's own record is then the only proof
// that its etcd never ran.
func (d Discovery) Listed() bool { return d.Kind == KindStatic || d.Kind == KindSRV }

// Name is the source for people. A token is quoted, or a space at its end
// would not be seen.
func (d Discovery) Name() string {
	if d.Source != "" {
		return d.Source
	}
	return fmt.Sprintf("discovery %q", d.Token)
}

// failure is why it tells nothing.
func (d Discovery) failure() string {
	if d.Missing {
		return d.Name() + ": there is no such token"
	}
	return d.Error
}

// listed are the rules for a list, where the record comes after the list and
// not before the registration. A host with its record goes by the same rules
// as any founder.
func (f founding) listed() (plan Plan, decided bool) {
	if !f.o.Discovery.Listed() {
		return Plan{}, false
	}
	if err := f.list.conflict(f.mine); err != nil {
		return refuse(NameInUse, err.Error(), "give this host the name and the peer URLs that the list has, or others"), true
	}
	switch r := f.o.Disk.Record; {
	case !f.list.has(f.mine):
		return f.notListed(), true
	case f.p.Size > f.list.size && f.o.Discovery.Kind == KindSRV:
		return wait(FoundersMissing, fmt.Sprintf("%s: %d of %d founders (%s)", f.list.source, f.list.size, f.p.Size, f.list.names()),
			"add the records of the other founders, or give their number as -cluster-size"), true
	case f.record():
		return Plan{}, false
	case f.o.hasRun():
		return noQuorum(f.o), true
	case r != nil && r.Spent && r.Token == f.list.token:
		return f.lostDisk(), true
	}
	if plan, blocked := f.registrable(); blocked {
		return plan, true
	}
	return f.list.recording(f.mine), true
}

func (l founderList) recording(mine Entry) Plan {
	return Plan{Step: StepRecord, Reason: FounderRecord, Entry: &mine,
		Text: fmt.Sprintf("%s: this host is one of %d founders (%s): it records that its etcd never ran", l.source, l.size, l.names())}
}

// notListed: a list founds with all that are in it, and this host is not.
func (f founding) notListed() Plan {
	if f.o.hasRun() {
		return noQuorum(f.o)
	}
	return wait(FounderNotListed, fmt.Sprintf("%s has %d founders (%s), and none is %q at %q: this host waits for their cluster%s",
		f.list.source, f.list.size, f.list.names(), f.p.Name, f.p.PeerURLs, f.o.failure()),
		"start the founders; if this host is to be one, its name and its peer URLs must be in the list as they are here")
}

// lateFounder is for a host of a list whose founders have a quorum already,
// with an entry that never published itself and of which the leader never
// heard: it has had no occasion to write its record.
func (j joining) lateFounder(m Member) (Plan, bool) {
	d, r := j.o.Discovery, j.o.Disk.Record
	if !d.Listed() || m.Started() || m.Health.Match > 0 || j.c.NoProof != "" {
		return Plan{}, false
	}
	mine := Registration(j.p.Name, j.p.PeerURLs, d.Token)
	l, err := founders(d)
	if err != nil || !l.has(mine) || l.clusterID() != j.c.ID || r != nil && r.Token == d.Token {
		return Plan{}, false
	}
	return l.recording(mine), true
}
