package joiner

import (
	"fmt"
	"slices"
	"strings"
)

// withoutQuorum decides for a host without data when no quorum answers. It is
// the only place a cluster is founded from, and silence is never a reason.
func withoutQuorum(p Policy, o Observation) Plan {
	if o.Discovery.Kind == "" {
		return withoutDiscovery(p, o)
	}
	if plan, unusable := discoveryUnusable(p, o); unusable {
		return plan
	}
	list, err := founders(o.Discovery)
	switch {
	case err != nil && o.Discovery.Listed() && o.hasRun(): // with its quorum nobody needs the list
		return noQuorum(o)
	case err != nil:
		return refuse(DiscoveryInvalid, err.Error(), o.Discovery.mend())
	}
	f := founding{p, o, list, Registration(p.Name, p.PeerURLs, o.Discovery.Token)}
	if list.complete() {
		return f.complete()
	}
	return f.incomplete()
}

func withoutDiscovery(p Policy, o Observation) Plan {
	if !p.Endpoints && len(o.Hints) == 0 {
		return Plan{Step: StepRefuse, Reason: NotConfigured, Exit: ExitNotConfigured,
			Text: "nothing says where the cluster is, and this host has no data",
			Hint: "give -discovery=URL, another source of members (elastic-etcd --help lists them), or -endpoints=URL[,URL]"}
	}
	return noQuorum(o)
}

// discoveryUnusable is for a service that did not answer, or knows nothing.
func discoveryUnusable(p Policy, o Observation) (Plan, bool) {
	switch d := o.Discovery; {
	case d.Error != "" && o.hasRun():
		return noQuorum(o), true
	case d.Refuses && len(o.Hints) == 0 && !p.Endpoints:
		return refuse(DiscoveryRefused, "the discovery service does not let this host in: "+d.Error,
			"check the user and the password for discovery, the CA, certificate and key for it, and the name in the service's certificate"), true
	case d.Error != "":
		return wait(DiscoveryDown, "the discovery service does not answer: "+d.Error, "check what was given for discovery, and the service behind it"), true
	case d.Missing:
		return refuse(DiscoveryMissing, fmt.Sprintf("the discovery service does not know %s", strings.TrimPrefix(d.Name(), "discovery ")),
			"make a token with elastic-etcd discovery new, and give the same one to all hosts"), true
	}
	return Plan{}, false
}

// hasRun tells whether somebody shows a member that has run: there is a
// cluster then, and it is not to be founded.
func (o Observation) hasRun() bool {
	_, found := o.lived()
	return found
}

// lived gives the first view that shows a member that has run.
func (o Observation) lived() (View, bool) {
	for _, v := range o.Views {
		if slices.ContainsFunc(v.Members, Member.Started) {
			return v, true
		}
	}
	return View{}, false
}

func addresses(n int) string {
	if n == 1 {
		return "1 address"
	}
	return fmt.Sprintf("%d addresses", n)
}

func noQuorum(o Observation) Plan {
	v, lives := o.lived()
	if !lives {
		return wait(ClusterUnreachable, fmt.Sprintf("no member answers at %s%s%s%s", addresses(o.Contacts), o.others(), o.failure(), o.silentHints()), "start the members, or check the addresses")
	}
	return wait(ClusterNoQuorum, fmt.Sprintf("cluster %s, of which %s answers, has no quorum: nothing is changed without one%s", v.ClusterID, v.From, o.failure()),
		"bring its members back; if most of them are lost for good, restore from a backup")
}

// failure quotes the first address that failed, for the common case of one
// mistake: first one where somebody lives.
func (o Observation) failure() string {
	if len(o.Failures) == 0 {
		return ""
	}
	i := max(0, slices.IndexFunc(o.Failures, func(f Failure) bool { return f.Bar != "" }))
	return fmt.Sprintf(" (%s: %s)", o.Failures[i].URL, o.Failures[i].Error)
}

// silentHints quotes the sources that say nothing.
func (o Observation) silentHints() string {
	var b strings.Builder
	for _, h := range o.Hints {
		if h.Error != "" {
			fmt.Fprintf(&b, "; %s: %s", h.Source, h.Error)
		}
	}
	return b.String()
}

// mend says what to do about entries that are not sound.
func (d Discovery) mend() string {
	switch {
	case d.Kind == KindSRV:
		return "correct the records in DNS"
	case d.Listed():
		return "correct the list, on all hosts"
	case d.Invalid != "":
		return "make a token with elastic-etcd discovery new, and give the same one to all hosts"
	}
	return "a registration keeps its place: use a new discovery token, the same on all hosts"
}

// founding is a discovery token whose registrations are sound.
type founding struct {
	p    Policy
	o    Observation
	list founderList
	mine Entry
}

// incomplete: the cluster cannot exist yet, since founding takes all places.
func (f founding) incomplete() Plan {
	if f.o.hasRun() {
		return noQuorum(f.o)
	}
	if err := f.list.conflict(f.mine); err != nil {
		return refuse(NameInUse, err.Error(), "give every host a name and peer URLs of its own; the place that is taken stays taken")
	}
	_, registered := f.o.Discovery.entry(f.mine.Key)
	if plan, blocked := f.registrable(); blocked && !registered {
		return plan
	}
	switch r := f.o.Disk.Record; {
	case f.record() && registered:
		return wait(FoundersMissing, fmt.Sprintf("%d of %d founders registered (%s)", len(f.list.peers), f.list.size, f.list.names()),
			"boot the other founders with the same discovery URL")
	case f.record():
		return Plan{Step: StepRegister, Reason: FounderRegister, Entry: &f.mine,
			Text: fmt.Sprintf("%d of %d founders registered: this host registers", len(f.list.peers), f.list.size)}
	case r != nil && r.Spent && r.Token == f.list.token:
		return f.lostDisk()
	}
	return Plan{Step: StepRecord, Reason: FounderRecord, Entry: &f.mine,
		Text: fmt.Sprintf("this host can be founder %d of %d: it records that its etcd never ran", len(f.list.peers)+1, f.list.size)}
}

// record tells whether this host can prove that its etcd never ran under this
// token.
func (f founding) record() bool {
	id, err := ParseID(f.mine.Key)
	return err == nil && f.o.recordFor(id) && f.o.Disk.Record.Token == f.list.token
}

// complete: all places are taken, so the cluster may have been founded.
func (f founding) complete() Plan {
	if plan, decided := f.listed(); decided {
		return plan
	}
	switch {
	case !f.list.has(f.mine):
		return f.surplus()
	case !f.record():
		return f.lostDisk()
	}
	for _, v := range f.o.Views {
		if plan, differs := f.differs(v); differs {
			return plan
		}
	}
	return f.found()
}

func (l founderList) has(e Entry) bool {
	for _, p := range l.peers {
		if Registration(p.Name, p.URLs, l.token) == e {
			return true
		}
	}
	return false
}

// surplus: this host came after the founders, and waits for their cluster.
func (f founding) surplus() Plan {
	if f.o.hasRun() {
		return noQuorum(f.o)
	}
	return wait(ClusterUnreachable, fmt.Sprintf("%d founders registered (%s) and this host is not one: it waits for their cluster%s",
		f.list.size, f.list.names(), f.o.failure()), "start the founders")
}

// differs tells whether what a member serves speaks against founding.
func (f founding) differs(v View) (Plan, bool) {
	if !f.list.servedBy(v) {
		return wait(FoundersDiffer, fmt.Sprintf("%s serves cluster %s, not cluster %s of the %d founders", v.From, v.ClusterID, f.list.clusterID(), f.list.size),
			"is the address of a founder in use by another cluster?"), true
	}
	for _, m := range v.Members {
		if m.ID.String() == f.mine.Key && m.Started() {
			return f.lostDisk(), true
		}
	}
	return Plan{}, false
}

func (f founding) found() Plan {
	return Plan{Step: StepEmit, Reason: Found,
		Text: fmt.Sprintf("all %d founders %s (%s): they found cluster %s", f.list.size, f.list.are(), f.list.names(), f.list.clusterID()),
		Config: &EtcdConfig{
			Name: f.p.Name, DataDir: f.p.DataDir, WALDir: f.p.WALDir,
			InitialAdvertisePeerURLs: f.p.PeerURLs,
			InitialCluster:           f.list.peers,
			InitialClusterState:      StateNew,
			InitialClusterToken:      f.list.token,
		}}
}

// lostDisk: this host is a founder and cannot prove that its etcd never ran.
// Founding again would take part in a quorum without the writes it once
// acknowledged. When the others have a quorum, this host is replaced by
// itself; that none of them answers may be an outage like any other, so that
// it is worth another try.
func (f founding) lostDisk() Plan {
	return wait(FounderLostDisk, fmt.Sprintf("this host is a founder under %s, its data dir %q holds no log, and nothing proves that its etcd never ran", f.list.source, f.p.DataDir),
		"start the other founders: with their quorum this host joins anew; if the cluster never ran, or all disks are lost, use a new token")
}

func (l founderList) are() string {
	if l.listed {
		return "are listed"
	}
	return "registered"
}

func (l founderList) is() string {
	if l.listed {
		return "is listed"
	}
	return "is registered"
}

// conflict tells whether somebody else registered our name or a URL of ours.
func (l founderList) conflict(mine Entry) error {
	me, err := mine.Peer()
	if err != nil {
		return err
	}
	for _, p := range l.peers {
		if Registration(p.Name, p.URLs, l.token) == mine {
			continue
		}
		if p.Name == me.Name || overlap(p.URLs, me.URLs) {
			return fmt.Errorf("%s: %q at %q %s already, this host is %q at %q", l.source, p.Name, p.URLs, l.is(), me.Name, me.URLs)
		}
	}
	return nil
}
