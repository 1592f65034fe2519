package joiner

import (
	"fmt"
	"slices"
)

// DecidePromotion says what to do next for a host whose etcd has been started,
// so that its member becomes a voter: pure as Decide is. A member that is one
// already needs nothing.
func DecidePromotion(p Policy, o Observation) Plan {
	if o.Disk.State == DiskDamaged { // or its etcd is just starting
		return wait(PromoteNotStarted, fmt.Sprintf("the data dir %q is damaged: %s", p.DataDir, o.Disk.Detail), "look at the log of this host's etcd; if it has a --wal-dir, give it here too (-wal-dir)")
	}
	if o.Disk.State != DiskData {
		return wait(PromoteNotStarted, fmt.Sprintf("no etcd has started on the data dir %q yet", p.DataDir), "start etcd")
	}
	c, found := o.cluster(o.Disk.ClusterID)
	if !found {
		return barred(p, o, wait(ClusterNoQuorum, fmt.Sprintf("no quorum of cluster %s answers%s", o.Disk.ClusterID, o.failure()), "look at the etcd of this host and of the members"))
	}
	m, listed := c.member(o.Disk.MemberID)
	switch {
	case !listed:
		return refuse(PromoteNotMember, fmt.Sprintf("cluster %s does not list member %s, whose data is in %q", c.ID, o.Disk.MemberID, p.DataDir),
			"stop etcd; the next run of elastic-etcd puts the data away and joins anew")
	case !m.Learner && movedAlone(p, c, m) && !o.Disk.Running:
		return wait(PromoteNotStarted, fmt.Sprintf("the only voter of cluster %s is at %q, and no etcd runs on the data dir %q yet", c.ID, m.PeerURLs, p.DataDir), "start etcd here, or stop it there")
	case !m.Learner && movedAlone(p, c, m):
		return updateAlone(p, c, m)
	case !m.Learner:
		return promoted(p.as(m), c, m)
	}
	return promoting{joining{p.as(m), o, c}, m}.decide()
}

// movedAlone tells whether the only voter of a cluster came back with its data
// at another address. While it was down nobody could change its entry; now it
// can, and must, or a newcomer is sent to the old address.
func movedAlone(p Policy, c Cluster, m Member) bool {
	return p.Announces && c.voters() == 1 && !sameURLs(m.PeerURLs, p.PeerURLs)
}

func updateAlone(p Policy, c Cluster, m Member) Plan {
	if plan, blocked := c.turn(p, Intent{Purpose: ToRepair}); blocked {
		return plan
	}
	return Plan{Step: StepUpdate, Reason: PromoteMoved, Cluster: c.ID, Seen: c.ids(), Intent: c.under(p), Member: &m,
		Text: fmt.Sprintf("cluster %s knows its only voter, this host, at %q: that becomes %q", c.ID, m.PeerURLs, p.PeerURLs)}
}

// promoted lets go of the intent that brought the member here.
func promoted(p Policy, c Cluster, m Member) Plan {
	if plan, mine := c.forget(p); mine {
		return plan
	}
	if i := c.under(p); i != nil {
		return c.release(*i)
	}
	return Plan{Step: StepDone, Reason: PromoteDone, Exit: ExitDone, Text: fmt.Sprintf("member %s of cluster %s is a voter", describe(m), c.ID)}
}

// promoting is this host's learner m.
type promoting struct {
	joining
	m Member
}

// decide has nobody else wait for what may take for ever: the intent is put
// there, or renewed, only while the learner catches up, and for a change.
func (j promoting) decide() Plan {
	if plan, blocked := first(j.admitted, j.sound, j.behind, j.replace); blocked {
		return plan
	}
	if !j.c.safeToPromote() {
		return j.c.atRisk("one more voter", "bring a member back")
	}
	if plan, blocked := j.hold(); blocked {
		return plan
	}
	return j.c.promotion(j.p, j.m, PromoteReady, fmt.Sprintf("learner %s has caught up", describe(j.m)))
}

// hold has the intent to promote be this host's.
func (j promoting) hold() (Plan, bool) { return j.c.turn(j.p, Intent{Purpose: ToPromote}) }

// behind waits for the learner to catch up: with a large cluster that is a
// matter of minutes. Of one that stands still nobody knows.
func (j promoting) behind() (Plan, bool) {
	if j.c.NoProof != "" && !j.m.Health.Proven {
		return wait(NoEvidence, fmt.Sprintf("whether learner %s has caught up and takes part only the leader can tell: %s", describe(j.m), j.c.NoProof),
			"let this host reach /debug/vars on the leader's client URL (or name its --listen-client-http-urls in -endpoints)"), true
	}
	if j.caughtUp() {
		return Plan{}, false
	}
	if j.m.Health.Stalled < j.p.DeadAfter {
		if plan, blocked := j.hold(); blocked {
			return plan, true
		}
	}
	return wait(PromoteBehind, fmt.Sprintf("learner %s has not caught up yet: it holds entry %d of %d", describe(j.m), j.m.Health.Match, j.c.newest()),
		"look at the log of this host's etcd"), true
}

// caughtUp wants more of a learner than etcd does. Etcd is content with nine
// tenths of the leader's log, and promotes one that has died since, hangs, or is
// cut off. Where the leader cannot be asked, a learner that speaks for a quorum
// has applied all there is.
func (j promoting) caughtUp() bool {
	if j.c.NoProof != "" {
		return j.m.Health.Proven
	}
	return j.m.Health.Following
}

// newest is the newest log entry that a member is known to hold.
func (c Cluster) newest() uint64 {
	var n uint64
	for _, m := range c.Members {
		n = max(n, m.Health.Match)
	}
	return n
}

// replace takes out the member whose place this one takes, so that there are
// never more voters than there may be. One that lives again keeps its place.
func (j promoting) replace() (Plan, bool) {
	m, found := j.replaced()
	if !found {
		return Plan{}, false
	}
	if !j.p.removes() && m.ID != j.replaces() {
		return j.noPlace(fmt.Sprintf("strategy %q never removes a member", j.p.Strategy),
			"to grow the cluster, give -cluster-size; or remove a dead member: etcdctl member remove"), true
	}
	switch verdict(j.p, j.c, m) {
	case alive, starting:
		return j.noPlace(fmt.Sprintf("member %s, whose place this host would take, is alive", describe(m)),
			"to grow the cluster, give -cluster-size; or remove the learner: elastic-etcd leave"), true
	case undecided:
		return watch(fmt.Sprintf("watching whether member %s is still dead (this host replaces it): %s", describe(m), evidence(m))), true
	case unknowable:
		return noEvidence(j.c, m), true
	}
	return j.takeOver(m), true
}

// noPlace waits for a place, and holds up nobody else meanwhile.
func (j promoting) noPlace(why, hint string) Plan {
	if i := j.c.under(j.p); i != nil {
		return j.c.release(*i)
	}
	return wait(PromoteFull, fmt.Sprintf("cluster %s is full, and %s", j.c.ID, why), hint)
}

func (j promoting) takeOver(m Member) Plan {
	if !j.c.safeToRemove(m) {
		return j.c.atRisk(fmt.Sprintf("the removal of member %s, which is dead,", describe(m)), "bring other members back first")
	}
	if plan, blocked := j.hold(); blocked {
		return plan
	}
	return j.c.removal(j.p, m, PromoteReplaced, fmt.Sprintf("member %s is dead, and this host has caught up to replace it", describe(m)))
}

// replaced is the member that the intent names, unless that lives again; in a
// full cluster any dead voter; where none is dead, one that stands in the way.
func (j promoting) replaced() (Member, bool) {
	named, listed := j.c.member(j.replaces())
	switch {
	case listed && !lives(verdict(j.p, j.c, named)):
		return named, true
	case j.hasRoom():
		return Member{}, false
	}
	voters := slices.DeleteFunc(slices.Clone(j.c.Members), func(m Member) bool { return m.Learner })
	for _, v := range []life{dead, undecided, unknowable, starting, alive} {
		if m, found := j.longest(voters, v); found {
			return m, true
		}
	}
	return Member{}, false
}

func (j promoting) hasRoom() bool {
	size := j.sizeWhenJoining()
	return size == 0 || j.c.voters() < size
}

// sizeWhenJoining is the size that the admin says, else the one by which this
// host was added; 0 = no limit, or not known.
func (j promoting) sizeWhenJoining() int {
	if i := j.c.joinOf(j.p); i != nil && i.Size > 0 && j.p.Size < 0 {
		return i.Size
	}
	size, _ := knownSize(j.p, j.o, j.c)
	return size
}

// replaces is the dead member beside which this host was added, 0 = none.
func (j promoting) replaces() ID {
	if i := j.c.joinOf(j.p); i != nil {
		return i.Replaces
	}
	return 0
}
