package joiner

import (
	"fmt"
	"slices"
)

// firstWithLearners is the first version that knows learners: older ones
// silently add a voter instead.
var firstWithLearners = Version{3, 4}

func (v Version) hasLearners() bool { return v.atLeast(firstWithLearners) }

// hasLearners goes by the servers where the cluster has not agreed on a
// version yet.
func (c Cluster) hasLearners() bool {
	if c.decided() {
		return c.Version.hasLearners()
	}
	return c.everyServer(Version.hasLearners)
}

// asLearner tells whether this host joins as a learner, or why it cannot join
// as what it has to be.
func (j joining) asLearner() (learner bool, plan Plan, refused bool) {
	second := j.c.voters() == 1
	wanted := j.p.Learner == LearnerAlways || j.p.Learner != LearnerNever && (j.p.Promotes || second)
	switch {
	case wanted && j.c.hasLearners():
		plan, refused = j.oneLearner()
		return true, plan, refused
	case second:
		return false, refuse(OneToTwo, fmt.Sprintf("cluster %s has one voter: it would stop serving from the add of a second one until that has started", j.c.ID),
			"found the cluster with three members, or with etcd 3.4 or later let this host be a learner first (-learner=auto)"), true
	case j.p.Learner == LearnerAlways:
		return false, refuse(NoLearners, fmt.Sprintf("cluster %s is of version %s, which has no learners", j.c.ID, j.c.Version),
			"upgrade the cluster to 3.4 or later, or do without -learner=always"), true
	}
	return false, Plan{}, false
}

// oneLearner waits for a learner that is there already: etcd takes one at a
// time (up to 3.5 always, later unless told otherwise).
func (j joining) oneLearner() (Plan, bool) {
	for _, m := range j.c.Members {
		if !m.Learner {
			continue
		}
		if plan, busy := j.takeOut([]Member{m}, PruneDead); busy && j.p.removes() {
			return plan, true
		}
		if j.c.inFlight(j.p) {
			return j.c.inFlightPlan(), true
		}
		return wait(LearnerInFlight, fmt.Sprintf("member %s is a learner that has not caught up yet, and etcd takes one at a time", describe(m)),
			"if it never starts, remove it: etcdctl member remove "+m.ID.String()), true
	}
	return Plan{}, false
}

// promoteLeft makes a voter of a learner that has caught up and that nobody
// looks after: whoever added it died or was interrupted. Where it was added
// beside a dead voter, that one goes first.
func (j joining) promoteLeft() (Plan, bool) {
	for _, m := range j.c.Members {
		if !m.Learner || !m.Started() || j.c.NoProof != "" || !m.Health.Following || j.c.inFlight(j.p) {
			continue
		}
		if j.size() > 0 && j.c.voters() >= j.size() {
			return j.replaceFor(m)
		}
		if !j.c.safeToPromote() {
			continue
		}
		if plan, blocked := first(j.admitted, j.sound, func() (Plan, bool) { return j.turn(0) }); blocked {
			return plan, true
		}
		return j.c.promotion(j.p, m, LearnerLeft, fmt.Sprintf("learner %s has caught up and nobody promotes it", describe(m))), true
	}
	return Plan{}, false
}

// catchingUp is a learner that follows soon, to become a voter then: its place
// is taken, but the cluster is not what it is to be yet.
func (j joining) catchingUp() (Member, bool) {
	for _, m := range j.c.Members {
		h := m.Health
		if m.Learner && m.Started() && j.c.NoProof == "" && lives(verdict(j.p, j.c, m)) && !h.Following && h.Stalled < j.p.DeadAfter && j.mayVote() {
			return m, true
		}
	}
	return Member{}, false
}

// mayVote tells whether there is room for the vote of a learner, now or without
// a dead voter.
func (j joining) mayVote() bool {
	voters := j.c.voters()
	if m, found := j.deadVoter(); found && j.p.removes() && j.c.safeToRemove(m) {
		voters--
	}
	return voters < j.size()
}

func (j joining) deadVoter() (Member, bool) {
	voters := slices.DeleteFunc(slices.Clone(j.c.Members), func(m Member) bool { return m.Learner })
	return j.longest(voters, dead)
}

// replaceFor removes a dead voter in whose place a learner has come.
func (j joining) replaceFor(learner Member) (Plan, bool) {
	m, found := j.deadVoter()
	if !found || !j.p.removes() || !j.c.safeToRemove(m) {
		return Plan{}, false
	}
	if plan, blocked := first(j.admitted, j.sound, func() (Plan, bool) { return j.turn(0) }); blocked {
		return plan, true
	}
	return j.c.removal(j.p, m, PromoteReplaced, fmt.Sprintf("member %s is dead, and learner %s, which nobody promotes, has caught up to take its place", describe(m), describe(learner))), true
}

// safeToPromote counts a learner that has caught up as a healthy voter.
func (c Cluster) safeToPromote() bool { return keepsQuorum(c.healthy()+1, c.voters()+1) }

func (c Cluster) promotion(p Policy, m Member, r Reason, why string) Plan {
	return Plan{Step: StepPromote, Reason: r, Cluster: c.ID, Seen: c.ids(), Intent: c.under(p), Member: &m,
		Text: why + ": it becomes a voter"}
}

// addBeside adds this host as a learner while the dead member it replaces is
// still listed: if the verdict was wrong, nothing is lost. Only where etcd
// admits that, and where the dead one does not hang: an etcd that joins waits
// long for that.
func (j joining) addBeside() (Plan, bool) {
	m, found := j.longest(j.c.Members, dead)
	gone := found && !m.Learner && m.Started() && m.Health.gone()
	if !gone || !j.c.safeToRemove(m) || !j.c.safeToAdd() || len(j.c.Members) != j.size() || !j.admitsBeside() {
		return Plan{}, false
	}
	if plan, blocked := j.clearToJoin(); blocked {
		return plan, true
	}
	if learner, plan, refused := j.asLearner(); refused || !learner {
		return plan, refused
	}
	if plan, blocked := j.turn(m.ID); blocked {
		return plan, true
	}
	return j.addition(true, RoomToReplace, fmt.Sprintf("member %s is dead and goes when this host has caught up (%s)", describe(m), evidence(m))), true
}

// admitsBeside is etcd's own rule for an add while a voter is down: it wants a
// quorum of the voters there would be connected.
func (j joining) admitsBeside() bool {
	for _, m := range j.c.Members {
		if m.Health.Reached != "" && !m.AddsWhileDown {
			return false
		}
	}
	voters := j.c.voters()
	return j.c.healthy() >= quorum(voters+1) && voters > 3
}
