package joiner

import (
	"cmp"
	"fmt"
	"slices"
)

// admit goes by the strategy: this host is not listed and collides with
// nobody.
func (j joining) admit() Plan {
	switch {
	case j.p.Strategy == Prepare:
		return refuse(NotPrepared, fmt.Sprintf("cluster %s has no entry for this host, and strategy %q changes nothing", j.c.ID, Prepare),
			"run: etcdctl member add "+memberAdd(j.p)+j.removalHint())
	case j.p.Strategy == Prune:
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

// size is how many voters there may be, 0 = any number.
func (j joining) size() int {
	switch {
	case j.p.Size >= 0:
		return j.p.Size
	case j.o.Discovery.Size > 0:
		return j.o.Discovery.Size
	}
	return j.c.voters()
}

func (j joining) full() bool { return j.size() > 0 && j.c.voters() >= j.size() }

// makeRoom takes one dead voter out of a full cluster, if that makes room.
func (j joining) makeRoom() Plan {
	if !j.p.removes() {
		return j.isFull(fmt.Sprintf("strategy %q never removes a member", j.p.Strategy))
	}
	if plan, busy := j.takeOut(j.votersOnly(), FullDead); busy {
		return plan
	}
	return j.isFull("none of them is dead")
}

func (j joining) isFull(why string) Plan {
	text := fmt.Sprintf("cluster %s is full: it has %d voters of %d, and %s", j.c.ID, j.c.voters(), j.size(), why)
	hint := "to grow the cluster, give -cluster-size"
	if j.p.Standby {
		return wait(ClusterFull, text, hint)
	}
	return notNow(ClusterFull, text, hint)
}

func (j joining) votersOnly() []Member {
	return slices.DeleteFunc(slices.Clone(j.c.Members), func(m Member) bool { return m.Learner })
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
	if plan, blocked := j.versionGate(); blocked {
		return plan
	}
	if j.p.Strategy == Replace && j.size() > 0 && j.c.votersWithout(m) >= j.size() {
		return j.isFull(fmt.Sprintf("the removal of %s would not make room", describe(m)))
	}
	if !j.c.safeToRemove(m) || !keepsQuorum(j.c.healthy(), j.c.votersWithout(m)+1) {
		return wait(QuorumAtRisk, fmt.Sprintf("%s, but with %d of %d voters healthy its removal would put the quorum at risk",
			why, j.c.healthy(), j.c.voters()), "bring other members back first")
	}
	return Plan{Step: StepRemove, Reason: r, Cluster: j.c.ID, Seen: j.c.ids(), Member: &m,
		Text: fmt.Sprintf("%s: it is removed (%s)", why, evidence(m))}
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

// add makes this host a voter.
func (j joining) add() Plan {
	if plan, blocked := j.versionGate(); blocked {
		return plan
	}
	if j.c.voters() == 1 {
		return refuse(OneToTwo, fmt.Sprintf("cluster %s has one voter: it would stop serving from the add of a second one until that has started", j.c.ID),
			"found the cluster with three members, or add the second one by hand as a learner")
	}
	if !j.c.safeToAdd() {
		return wait(QuorumAtRisk, fmt.Sprintf("with %d of %d voters healthy, one more voter would put the quorum of cluster %s at risk",
			j.c.healthy(), j.c.voters(), j.c.ID), "bring a member back, or remove a dead one: -join-strategy=prune does")
	}
	return Plan{Step: StepAdd, Reason: RoomToJoin, Cluster: j.c.ID, Seen: j.c.ids(),
		Text: fmt.Sprintf("cluster %s has room (%d voters, %d healthy, size %s): this host is added", j.c.ID, j.c.voters(), j.c.healthy(), j.sizeText())}
}

func (j joining) sizeText() string {
	if j.size() == 0 {
		return "without limit"
	}
	return fmt.Sprint(j.size())
}
