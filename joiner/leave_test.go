package joiner

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// leads makes host n the leader.
func leads(n int) func(*Cluster) { return func(c *Cluster) { c.Leader = founderID(n) } }

var leaving = func(i *Intent) { i.Purpose = ToLeave }

var leaveCases = []decideCase{
	{"nobody answers", host(1), hasData(1), StepWait, ClusterUnreachable, 75},
	{"no quorum", host(1), with(hasData(1), func(o *Observation) { o.Views = []View{served(2, "healthy healthy healthy")} }), StepWait, ClusterNoQuorum, 75},
	{"nothing is configured", host(1), Observation{}, StepRefuse, NotConfigured, 6},
	{"the last one", host(1), hasData(1, cluster("healthy")), StepRefuse, LeaveLast, 78},
	{"the last voter beside a learner", host(1), hasData(1, cluster("healthy", alsoMember(asLearner(member(4, "healthy"))))), StepRefuse, LeaveLast, 78},
	{"a learner of one", host(4), learnerHere("healthy", cluster("healthy", intent(4, leaving))), StepRemove, LeaveMember, 0},
	{"one of two", host(2), hasData(2, cluster("healthy healthy", intent(2, leaving))), StepRemove, LeaveMember, 0},
	{"one of two, the other is dead", host(2), hasData(2, cluster("dead healthy")), StepWait, QuorumAtRisk, 75},
	{"one of three, another is cut off, and the leader cannot be asked", host(3), hasData(3, cluster("healthy stalled healthy", noProof)), StepWait, QuorumAtRisk, 75},
	{"one of three, another is dead", host(3), hasData(3, cluster("healthy dead healthy")), StepWait, QuorumAtRisk, 75},
	{"one of three that is down itself", host(3), hasData(3, cluster("healthy healthy dead", intent(3, leaving))), StepRemove, LeaveMember, 0},
	{"one of three", host(3), hasData(3, cluster("healthy healthy healthy")), StepClaim, IntentClaim, 0},
	{"one of three, nobody gave the peer URLs", nowhere(3), hasData(3, cluster("healthy healthy healthy", intent(3, leaving))), StepRemove, LeaveMember, 0},
	{"one of three, nobody gave the peer URLs, and another host leaves", nowhere(3), hasData(3, cluster("healthy healthy healthy", intentOf(nowhere(5)))), StepWait, JoinInFlight, 75},
	{"one of three, another host joins", host(3), hasData(3, cluster("healthy healthy healthy", intent(5))), StepWait, JoinInFlight, 75},
	{"the leader", host(1), hasData(1, cluster("healthy healthy healthy", intent(1, leaving))), StepMoveLeader, LeaveLeader, 0},
	{"the leader of a young cluster", host(1), hasData(1, cluster("healthy healthy healthy", intent(1, leaving), func(c *Cluster) { c.Version = undecidedVersion })), StepMoveLeader, LeaveLeader, 0},
	{"the leader of an etcd 3.0", host(1), hasData(1, cluster("healthy healthy healthy", intent(1, leaving), version(3, 0), func(c *Cluster) {
		for i := range c.Members {
			c.Members[i].Version = Version{3, 0}
		}
	})), StepRemove, LeaveMember, 0},
	{"the leader of an etcd 2", host(1), hasData(1, cluster("healthy healthy healthy", intent(1, leaving), func(c *Cluster) { c.API = "v2" })), StepRemove, LeaveMember, 0},
	{"a follower", host(1), hasData(1, cluster("healthy healthy healthy", intent(1, leaving), leads(2))), StepRemove, LeaveMember, 0},
	{"a member without its data, by peer URLs that nobody gave", host(3), observed(cluster("healthy healthy healthy")), StepRefuse, LeaveUnclear, 78},
	{"a member without its data, by another name", host(3, announces, func(p *Policy) { p.Name = "n9" }), observed(cluster("healthy healthy healthy")), StepRefuse, LeaveUnclear, 78},
	{"an entry of ours that never started", host(4, announces), observed(cluster("healthy healthy", intent(4, leaving), alsoMember(member(4, "added")))), StepRemove, LeaveMember, 0},
	{"a member without its data", host(3, announces), observed(cluster("healthy healthy dead", intent(3, leaving))), StepRemove, LeaveMember, 0},
	{"data of a member that runs elsewhere", host(4, announces), hasData(1, cluster("healthy healthy healthy")), StepRefuse, LeaveUnclear, 78},
	{"it has left, and what somebody began is remembered", host(4), hasData(4, cluster("healthy healthy healthy", intent(4, leaving), begun(5, 1, 2, 3, 6))), StepForget, JoinOver, 0},
	{"it has left", host(4), hasData(4, cluster("healthy healthy healthy", intent(4, leaving))), StepRelease, IntentRelease, 0},
	{"not a member", host(4), observed(cluster("healthy healthy healthy")), StepDone, LeaveDone, 0},
	{"two clusters", host(4), with(observed(cluster("healthy", named), cluster("healthy", other, named)), func(o *Observation) { o.Discovery = Discovery{} }), StepRefuse, ClustersAmbiguous, 78},
}

func TestDecideLeave(t *testing.T) {
	for _, c := range leaveCases {
		plan := DecideLeave(c.policy, c.obs)
		if plan.Step != c.step || plan.Reason != c.reason || plan.Exit != c.exit || plan.Text == "" {
			t.Errorf("%s:\n got %s %s exit %d: %s\nwant %s %s exit %d", c.name, plan.Step, plan.Reason, plan.Exit, plan.Text, c.step, c.reason, c.exit)
		}
	}
}

// The leader goes: it passes on the leadership, is removed, and nothing is
// left behind; and if it may not go, neither is anything left behind.
func TestRunLeave(t *testing.T) {
	mine := intent(1, leaving)
	for _, c := range []struct {
		p     Policy
		world []Observation
		steps string
		exit  int
	}{
		{host(1), []Observation{
			hasData(1, cluster("healthy healthy healthy")),
			hasData(1, cluster("healthy healthy healthy", mine)),
			hasData(1, cluster("healthy healthy healthy", mine, leads(2))),
			hasData(1, cluster("", mine, alsoMember(member(2, "healthy"), member(3, "healthy")))),
			hasData(1, cluster("", alsoMember(member(2, "healthy"), member(3, "healthy")))),
		}, "claim move-leader remove release", 0},
		{nowhere(1), []Observation{
			hasData(1, cluster("healthy healthy healthy", mine, leads(2))),
			hasData(1, cluster("", mine, alsoMember(member(2, "healthy"), member(3, "healthy")))),
			hasData(1, cluster("", alsoMember(member(2, "healthy"), member(3, "healthy")))),
		}, "remove release", 0},
		{host(1), []Observation{hasData(1, cluster("healthy healthy dead", mine))}, "release", 75},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			w := &script{world: c.world}
			plan, err := RunLeave(ctx, c.p, w)
			if err != nil || plan.Exit != c.exit || strings.Join(w.steps, " ") != c.steps {
				t.Errorf("got %s %s %v after %q", plan.Step, plan.Reason, err, w.steps)
			}
		})
	}
}
