package joiner

import (
	"fmt"
	"strings"
)

// joining is a host without data and a cluster that has a quorum.
type joining struct {
	p Policy
	o Observation
	c Cluster
}

// decide deals first with members that collide with this host; a host that
// collides with nobody goes by the strategy.
func (j joining) decide() Plan {
	if plan, taken := j.o.taken(j.p, &j.c); taken {
		return plan
	}
	for _, m := range j.c.Members {
		if plan, collides := j.collision(m); collides {
			return plan
		}
	}
	return j.admit()
}

// collision decides about a member that has our URLs, some of them, or our
// name. A dead namesake is like any dead member.
func (j joining) collision(m Member) (Plan, bool) {
	switch {
	case sameURLs(m.PeerURLs, j.p.PeerURLs) && j.o.unused(m):
		return j.adopt(m), true
	case sameURLs(m.PeerURLs, j.p.PeerURLs):
		if plan, late := j.lateFounder(m); late {
			return plan, true
		}
		return j.formerSelf(m), true
	case overlap(m.PeerURLs, j.p.PeerURLs):
		return j.overlapping(m), true
	case m.Started() && m.Name == j.p.Name:
		return j.namesake(m)
	}
	return Plan{}, false
}

// unused tells whether an entry never served: nobody published it and no log
// entry was ever acknowledged under it. A founder's entry has a name from the
// start, so there our own record must say that etcd never ran here.
func (o Observation) unused(m Member) bool {
	if m.Started() || m.Health.Match > 0 {
		return false
	}
	return m.Name == "" || o.recordFor(m.ID)
}

// recordFor tells whether an unspent founder record of this member is here.
func (o Observation) recordFor(id ID) bool {
	r := o.Disk.Record
	return r != nil && !r.Spent && r.MemberID == id
}

// adopt joins by an entry that is there already: the admin made it, or a run
// of ours that was cut short, or it is a founder's that comes late.
//
// The list it emits must still be true when etcd starts, so nobody else is to
// change the membership until then.
func (j joining) adopt(m Member) Plan {
	if plan, blocked := first(j.listable, func() (Plan, bool) { return j.mayStart(m) }); blocked {
		return plan
	}
	if plan, busy := j.hanging(); busy && !j.o.EtcdVersion.atLeast(firstPatient) {
		return plan
	}
	if plan, blocked := j.turn(0); blocked && (j.p.Strategy != Prepare || plan.Step == StepWait) {
		return plan
	}
	if plan, mine := j.c.forget(j.p); mine && !m.Learner {
		return plan // the members are as many as they were to be
	}
	return Plan{Step: StepEmit, Reason: JoinListed,
		Text:  fmt.Sprintf("cluster %s lists this host as %s, which never ran: it joins as that", j.c.ID, m.label()),
		Entry: announcement(j.p, j.o),
		Config: &EtcdConfig{
			Name: j.p.Name, DataDir: j.p.DataDir, WALDir: j.p.WALDir,
			InitialAdvertisePeerURLs: j.p.PeerURLs,
			InitialCluster:           memberList(j.p.Name, m.ID, j.c.Members),
			InitialClusterState:      StateExisting,
		}}
}

// label is the member's ID; one that is only foreseen has none.
func (m Member) label() string {
	if m.ID == 0 {
		return "a member"
	}
	return "member " + m.ID.String()
}

// formerSelf is for an entry that is ours and has run, while our disk is
// empty: it must never be started again without its log.
func (j joining) formerSelf(m Member) Plan {
	text := fmt.Sprintf("cluster %s knows this host as member %s, but its data dir %q is empty", j.c.ID, describe(m), j.p.DataDir)
	return j.held(m, held{
		text: text, removed: FormerSelf,
		inUse: OwnURLsInUse, inUseHint: "give the data dir of the running etcd (-data-dir), or another peer URL",
		kept: FormerSelfKept, keptHint: fmt.Sprintf("run: etcdctl member remove %s && etcdctl member add %s", m.ID, memberAdd(j.p)),
	})
}

// overlapping is for a member that holds one of our URLs, but not just these:
// etcd would refuse to add them a second time.
func (j joining) overlapping(m Member) Plan {
	reason := URLsHeld
	if !m.Started() {
		reason = EntryMismatch
	}
	return j.held(m, held{
		text:    fmt.Sprintf("member %s holds %q, of which this host wants %q", describe(m), m.PeerURLs, j.p.PeerURLs),
		removed: reason,
		inUse:   URLsInUse, inUseHint: "give every host peer URLs of its own (-initial-advertise-peer-urls)",
		kept: URLsHeld, keptHint: fmt.Sprintf("run: etcdctl member remove %s", m.ID),
	})
}

// held is what to say about a member that holds a peer URL of this host: it
// has to go before this host can be added.
type held struct {
	text      string
	removed   Reason // it is dead and goes
	inUse     Reason // it is alive
	inUseHint string
	kept      Reason // it is dead and the strategy keeps it
	keptHint  string
}

func (j joining) held(m Member, h held) Plan {
	switch verdict(j.p, j.c, m) {
	case alive:
		return refuse(h.inUse, h.text+", and a process runs as that member", h.inUseHint)
	case starting:
		return j.c.inFlightPlan()
	case undecided:
		return j.watching(m, "it holds a peer URL of this host")
	case unknowable:
		return noEvidence(j.c, m)
	}
	if !j.p.removes() {
		return refuse(h.kept, fmt.Sprintf("%s, and strategy %q never removes a member", h.text, j.p.Strategy), h.keptHint)
	}
	return j.remove(m, h.removed, h.text)
}

func (j joining) namesake(m Member) (Plan, bool) {
	switch verdict(j.p, j.c, m) {
	case alive:
		return refuse(NameInUse, fmt.Sprintf("member %s runs at %q and has the name of this host", describe(m), m.PeerURLs),
			"give every host a name of its own (-name)"), true
	case starting:
		return j.c.inFlightPlan(), true
	case undecided:
		return j.watching(m, "it has the name of this host"), true
	}
	return Plan{}, false
}

// watching gathers evidence on a member, unless it is clear already that this
// host could not join.
func (j joining) watching(m Member, why string) Plan {
	if plan, blocked := j.clearToJoin(); blocked {
		return plan
	}
	text := fmt.Sprintf("watching whether member %s is dead (%s): %s", describe(m), why, evidence(m))
	if m.Health.Unclear != "" {
		text += "; it does answer, but not so that this host understands: " + m.Health.Unclear
	}
	return watch(text)
}

func memberAdd(p Policy) string {
	return fmt.Sprintf("%s --peer-urls=%s", p.Name, strings.Join(p.PeerURLs, ","))
}
