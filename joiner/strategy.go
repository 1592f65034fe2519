package joiner

import (
	"cmp"
	"fmt"
	"slices"
)

// admit goes by the strategy: this host is not listed and collides with
// nobody.
func (j joining) admit() Plan {
	if j.p.Strategy == Prepare {
		return refuse(NotPrepared, fmt.Sprintf("cluster %s has no entry for this host, and strategy %q changes nothing", j.c.ID, Prepare),
			"run: etcdctl member add "+memberAdd(j.p)+j.removalHint())
	}
	if plan, busy := j.promoteLeft(); busy {
		return plan
	}
	if j.p.Strategy == Prune {
		if plan, busy := j.takeOut(j.c.Members, PruneDead); busy {
			return plan
		}
	}
	if j.full() {
		return j.makeRoom()
	}
	return j.add()
}

// removalHint is the other command an admin may need: to take out whom this
// host could not reach.
func (j joining) removalHint() string {
	for _, m := range j.c.Members {
		if j.full() && m.Health.Reached == "" && !j.c.alive(m) {
			return fmt.Sprintf(" (the cluster is full: first run etcdctl member remove %s if %s is dead)", m.ID, describe(m))
		}
	}
	return ""
}

// size is how many members there may be, 0 = any number.
func (j joining) size() int {
	if size, known := knownSize(j.p, j.o, j.c); known {
		return size
	}
	return len(j.c.Members)
}

// knownSize is the size that the admin, the discovery or an intent says, even
// one that ran out: its host counted before it began.
func knownSize(p Policy, o Observation, c Cluster) (size int, known bool) {
	switch {
	case p.Size >= 0:
		return p.Size, true
	case o.Discovery.Size > 0:
		return o.Discovery.Size, true
	case c.Intent.live() && c.Intent.Unclear == "" && c.Intent.Size > 0:
		return c.Intent.Size, true
	}
	if b := c.Unfinished(); b != nil && b.Size > 0 {
		return b.Size, true
	}
	return 0, false
}

// full counts learners too: each is on its way to be a voter.
func (j joining) full() bool { return j.size() > 0 && len(j.c.Members) >= j.size() }

// makeRoom takes one dead member out of a full cluster, if that makes room.
func (j joining) makeRoom() Plan {
	if !j.p.removes() {
		return j.isFull(fmt.Sprintf("strategy %q never removes a member", j.p.Strategy))
	}
	if plan, possible := j.addBeside(); possible {
		return plan
	}
	if plan, busy := j.takeOut(j.c.Members, FullDead); busy {
		return plan
	}
	return j.isFull("none of them is dead")
}

func (j joining) isFull(why string) Plan {
	if j.c.inFlight(j.p) {
		return j.c.inFlightPlan()
	}
	if m, found := j.catchingUp(); found {
		return wait(LearnerInFlight, fmt.Sprintf("cluster %s has members enough (%d of %d), and learner %s of them has not caught up yet", j.c.ID, len(j.c.Members), j.size(), describe(m)),
			"look at the log of that learner's etcd")
	}
	text := fmt.Sprintf("cluster %s is full: it has %d members of %d, and %s", j.c.ID, len(j.c.Members), j.size(), why)
	hint := "to grow the cluster, give -cluster-size"
	if j.p.Standby {
		return wait(ClusterFull, text, hint)
	}
	return notNow(ClusterFull, text, hint)
}

// takeOut removes a dead member, or goes on watching one that may be dead.
// busy is false when every one of them is alive.
func (j joining) takeOut(members []Member, r Reason) (plan Plan, busy bool) {
	if m, ok := j.longest(members, dead); ok {
		return j.remove(m, r, fmt.Sprintf("member %s is dead", describe(m))), true
	}
	if m, ok := j.longest(members, undecided); ok {
		return j.watching(m, "a dead member would be removed"), true
	}
	if m, ok := j.longest(members, unknowable); ok {
		return noEvidence(j.c, m), true
	}
	return Plan{}, false
}

// longest gives, among the members with that verdict, the one to go first: an
// entry that never ran, then the one that stood still for longest.
func (j joining) longest(members []Member, v life) (Member, bool) {
	some := slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return verdict(j.p, j.c, m) != v })
	if len(some) == 0 {
		return Member{}, false
	}
	return slices.MinFunc(some, func(a, b Member) int {
		return cmp.Or(
			compareBool(a.Started(), b.Started()),
			-cmp.Compare(a.Health.Stalled, b.Health.Stalled),
			cmp.Compare(a.ID, b.ID))
	}), true
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// remove takes out a member for good, so that this host can join: only when
// nothing stands against the add that follows.
func (j joining) remove(m Member, r Reason, why string) Plan {
	if plan, blocked := j.clearToJoin(); blocked {
		return plan
	}
	if j.p.Strategy == Replace && j.stillToAdd(m) > 0 && !j.roomWithout(dead) {
		if other, ok := j.longest(j.c.Members, undecided); ok && j.roomWithout(dead, undecided) {
			return j.watching(other, "its removal too would make room")
		}
		return j.isFull(fmt.Sprintf("the removal of %s would not make room", describe(m)))
	}
	// A dead learner has no vote: what its removal makes room for is asked then.
	if !j.c.safeToRemove(m) || !m.Learner && !keepsQuorum(j.c.healthy(), j.c.votersWithout(m)+j.stillToAdd(m)) {
		return j.c.atRisk(fmt.Sprintf("its removal (%s)", why), "bring other members back first")
	}
	// What is begun is to be finished: nobody else may hold up the add.
	if other, ok := j.longest(j.hangers(m.ID), undecided); ok {
		return j.watching(other, "an etcd that joins would wait for it")
	}
	if plan, blocked := j.c.turn(j.p, Intent{Purpose: ToJoin, Size: j.size(), Of: j.c.beginning()}); blocked {
		return plan
	}
	return j.c.removal(j.p, m, r, why)
}

// roomWithout tells whether there is room for one more without one voter of
// these verdicts, and without all that never got to be one.
func (j joining) roomWithout(verdicts ...life) bool {
	left, voter := len(j.c.Members), 0
	for _, m := range j.c.Members {
		switch {
		case !slices.Contains(verdicts, verdict(j.p, j.c, m)):
		case m.Learner || !m.Started():
			left--
		default:
			voter = 1
		}
	}
	return j.size() == 0 || left-voter < j.size()
}

// stillToAdd is one, or nothing where this host is listed already beside m.
func (j joining) stillToAdd(m Member) int {
	for _, other := range j.c.Members {
		if other.ID != m.ID && sameURLs(other.PeerURLs, j.p.PeerURLs) {
			return 0
		}
	}
	return 1
}

func (c Cluster) removal(p Policy, m Member, r Reason, why string) Plan {
	return Plan{Step: StepRemove, Reason: r, Cluster: c.ID, Seen: c.ids(), Intent: c.under(p), Member: &m,
		Text: fmt.Sprintf("%s: it is removed (%s)", why, evidence(m))}
}

// turn makes it this host's turn to change the membership.
func (j joining) turn(replaces ID) (plan Plan, blocked bool) {
	return j.c.turn(j.p, Intent{Purpose: ToJoin, Replaces: replaces, Size: j.size()})
}

func (c Cluster) ids() []ID {
	ids := make([]ID, len(c.Members))
	for i, m := range c.Members {
		ids[i] = m.ID
	}
	return ids
}

func (c Cluster) votersWithout(m Member) int {
	if m.Learner {
		return c.voters()
	}
	return c.voters() - 1
}

// add makes this host a voter, or a learner first.
func (j joining) add() Plan {
	if plan, blocked := j.clearToJoin(); blocked {
		return plan
	}
	if plan, busy := j.hanging(); busy {
		return plan
	}
	learner, plan, refused := j.asLearner()
	switch {
	case refused:
		return plan
	case learner && j.c.voters() == 1 && j.c.healthy() == 1: // costs the only voter nothing
	case !j.c.safeToAdd():
		return j.c.atRisk("one more voter", "bring a member back, or remove a dead one: -join-strategy=prune does")
	}
	if plan, blocked := j.turn(0); blocked {
		return plan
	}
	return j.addition(learner, RoomToJoin, fmt.Sprintf("cluster %s has room (%d voters, %d healthy, size %s)",
		j.c.ID, j.c.voters(), j.c.healthy(), j.sizeText()))
}

func (j joining) addition(learner bool, r Reason, why string) Plan {
	as := "a voter"
	if learner {
		as = "a learner, for elastic-etcd promote to make a voter"
	}
	return Plan{Step: StepAdd, Reason: r, Cluster: j.c.ID, Seen: j.c.ids(), Intent: j.c.under(j.p), Learner: learner,
		Text: fmt.Sprintf("%s: this host is added as %s", why, as)}
}

func (j joining) sizeText() string {
	if j.size() == 0 {
		return "without limit"
	}
	return fmt.Sprint(j.size())
}
