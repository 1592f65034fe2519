package joiner

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// learnerHere is host 4 with the data of a learner of a cluster.
func learnerHere(state string, c Cluster) Observation {
	c.Members = append(c.Members, asLearner(member(4, state)))
	return hasData(4, c)
}

func announces(p *Policy) { p.Announces = true }

func runs(o Observation) Observation {
	o.Disk.Running = true
	return o
}

// nowhere is a host whose peer URLs nobody gave: they are etcd's default.
func nowhere(n int) Policy {
	return host(n, func(p *Policy) { p.PeerURLs = []string{"http://localhost:2380"} })
}

// intentOf is the intent that a host with this policy puts there.
func intentOf(p Policy) func(*Cluster) {
	return intent(5, func(i *Intent) { i.PeerURLs = p.PeerURLs })
}

func runningOut(i *Intent) { i.Left = renewBelow - 1 }

func replacing(n int) func(*Intent) { return func(i *Intent) { i.Replaces = founderID(n) } }

var promotionCases = []decideCase{
	{"etcd has not started", host(4), observed(cluster("healthy healthy")), StepWait, PromoteNotStarted, 75},
	{"a damaged disk", host(4), with(hasData(4), func(o *Observation) { o.Disk.State = DiskDamaged }), StepWait, PromoteNotStarted, 75},
	{"no quorum", host(4), hasData(4), StepWait, ClusterNoQuorum, 75},
	{"not a member", host(4), hasData(4, cluster("healthy healthy healthy")), StepRefuse, PromoteNotMember, 78},
	{"a voter", host(1), hasData(1, cluster("healthy healthy healthy")), StepDone, PromoteDone, 0},
	{"a voter with its intent", host(1), hasData(1, cluster("healthy healthy healthy", intent(1))), StepRelease, IntentRelease, 0},
	{"the only voter, at another address", host(4, announces), runs(hasData(1, cluster("healthy", intent(4)))), StepUpdate, PromoteMoved, 0},
	{"the only voter, at an address that nobody gave", host(4), runs(hasData(1, cluster("healthy"))), StepDone, PromoteDone, 0},
	{"the only voter, at another address, and it does not run here", host(4, announces), hasData(1, cluster("healthy")), StepWait, PromoteNotStarted, 75},
	{"a voter of several, at another address", host(4, announces), runs(hasData(1, cluster("healthy healthy healthy"))), StepDone, PromoteDone, 0},
	{"a voter, another host's intent", host(1), hasData(1, cluster("healthy healthy healthy", intent(5))), StepDone, PromoteDone, 0},
	{"a learner without an intent", host(4), learnerHere("healthy", cluster("healthy healthy")), StepClaim, IntentClaim, 0},
	{"a learner, another host changes the membership", host(4), learnerHere("healthy", cluster("healthy healthy", intent(5))), StepWait, JoinInFlight, 75},
	{"a learner that is behind", host(4), learnerHere("stalled", cluster("healthy healthy", intent(4))), StepWait, PromoteBehind, 75},
	{"a learner that is behind for long", host(4), learnerHere("behind", cluster("healthy healthy", intent(4, runningOut))), StepClaim, IntentRenew, 0},
	{"a learner that is behind without an intent", host(4), learnerHere("behind", cluster("healthy healthy")), StepClaim, IntentClaim, 0},
	{"a learner that stands still", host(4), learnerHere("stalled", cluster("healthy healthy", intent(4, runningOut))), StepWait, PromoteBehind, 75},
	{"a learner that has caught up", host(4), learnerHere("healthy", cluster("healthy healthy", intent(4))), StepPromote, PromoteReady, 0},
	{"a learner that has caught up and hangs", host(4), learnerHere("dead", cluster("stalled stalled", intent(4))), StepWait, PromoteBehind, 75},
	{"a learner that hangs, and the leader cannot be asked", host(4), learnerHere("dead", cluster("healthy healthy", intent(4, runningOut), noProof)), StepWait, NoEvidence, 75},
	{"a learner cut off from the others, and the leader cannot be asked", host(4), learnerHere("stalled", cluster("healthy healthy", intent(4), noProof)), StepWait, NoEvidence, 75},
	{"a learner, and the leader cannot be asked", host(4), learnerHere("healthy", cluster("healthy healthy", intent(4), noProof)), StepPromote, PromoteReady, 0},
	{"a learner, by another name than it has there", host(4, func(p *Policy) { p.Name = "localhost" }), learnerHere("healthy", cluster("healthy healthy", intent(4))), StepPromote, PromoteReady, 0},
	{"the second member", host(4), learnerHere("healthy", cluster("healthy", intent(4))), StepPromote, PromoteReady, 0},
	{"its vote would be a risk", host(4, size(5)), learnerHere("healthy", cluster("healthy dead dead", intent(4, runningOut))), StepWait, QuorumAtRisk, 75},
	{"it replaces a dead member", host(4), learnerHere("healthy", cluster("healthy healthy dead", intent(4, replacing(3)))), StepRemove, PromoteReplaced, 0},
	{"it replaces a dead member, and its intent ran out long ago", host(4), func() Observation {
		o := learnerHere("healthy", cluster("healthy healthy dead", intent(4, func(i *Intent) { i.Purpose, i.Size = ToPromote, 0 }), begun(4, 1, 2, 3), func(c *Cluster) { c.Begun.Replaces = founderID(3) }))
		o.Discovery = Discovery{}
		return o
	}(), StepRemove, PromoteReplaced, 0},
	{"a voter, and what it began is remembered", host(1), hasData(1, cluster("healthy healthy healthy", begun(1, 2, 3))), StepForget, JoinOver, 0},
	{"it replaces a dead member, with a new intent", host(4), learnerHere("healthy", cluster("healthy healthy dead", intent(4, func(i *Intent) { i.Purpose = ToPromote }))), StepRemove, PromoteReplaced, 0},
	{"its cluster grows beyond the token's size", host(4), learnerHere("healthy", cluster("healthy healthy healthy", intent(4, func(i *Intent) { i.Size = 5 }))), StepPromote, PromoteReady, 0},
	{"it replaces a member that may be dead", host(4), learnerHere("healthy", cluster("healthy healthy silent", intent(4, replacing(3), runningOut))), StepWatch, WatchMembers, 75},
	{"it replaces a member that lives again, and holds up others", host(4), learnerHere("healthy", cluster("healthy healthy healthy", intent(4, replacing(3)))), StepRelease, IntentRelease, 0},
	{"it replaces a member that lives again", host(4), learnerHere("healthy", cluster("healthy healthy healthy", begun(4, 1, 2, 3), func(c *Cluster) { c.Begun.Replaces = founderID(3) })), StepWait, PromoteFull, 75},
	{"it replaces a member that lives again, and another one is dead", host(4), learnerHere("healthy", cluster("dead healthy healthy", intent(4, replacing(3)))), StepRemove, PromoteReplaced, 0},
	{"the same, add", host(4, strategy(Add)), learnerHere("healthy", cluster("dead healthy healthy", intent(4, replacing(3)))), StepRelease, IntentRelease, 0},
	{"it replaces a member that lives again, and another learner is dead", host(4), learnerHere("healthy", cluster("healthy healthy healthy", alsoMember(asLearner(member(5, "dead"))))), StepWait, PromoteFull, 75},
	{"it replaces a member that lives again, and there may be more", host(4, size(7)), learnerHere("healthy", cluster("healthy healthy healthy", intent(4, replacing(3)))), StepPromote, PromoteReady, 0},
	{"the members differ", host(4), learnerHere("healthy", cluster("healthy healthy", intent(4), func(c *Cluster) { c.Members[0].Alarms = []string{"CORRUPT"} })), StepRefuse, AlarmCorrupt, 78},
	{"it would replace a member, add", host(4, strategy(Add)), learnerHere("healthy", cluster("healthy healthy dead")), StepWait, PromoteFull, 75},
	{"it would replace a member, prepare", host(4, strategy(Prepare), size(3)), learnerHere("healthy", cluster("healthy healthy dead")), StepWait, PromoteFull, 75},
	{"it would replace a member, and another host changes the membership", host(4), learnerHere("healthy", cluster("healthy healthy dead", intent(5))), StepWait, JoinInFlight, 75},
	{"nobody gave the peer URLs", nowhere(4), learnerHere("healthy", cluster("healthy healthy dead", intent(4, replacing(3)))), StepRemove, PromoteReplaced, 0},
	{"nobody gave the peer URLs, and another host changes the membership", nowhere(4), learnerHere("healthy", cluster("healthy healthy dead", intentOf(nowhere(5)))), StepWait, JoinInFlight, 75},
	{"it replaces a member, no evidence", host(4), learnerHere("healthy", cluster("healthy healthy dead", noProof, intent(4, replacing(3)))), StepRefuse, NoEvidence, 75},
}

func TestDecidePromotion(t *testing.T) {
	for _, c := range promotionCases {
		plan := DecidePromotion(c.policy, c.obs)
		if plan.Step != c.step || plan.Reason != c.reason || plan.Exit != c.exit {
			t.Errorf("%s:\n got %s %s exit %d: %s\nwant %s %s exit %d", c.name, plan.Step, plan.Reason, plan.Exit, plan.Text, c.step, c.reason, c.exit)
		}
		if plan.Text == "" {
			t.Errorf("%s: the plan has no text", c.name)
		}
	}
}

// From a learner to a voter, and nothing is left behind.
func TestRunPromotion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		w := &script{world: []Observation{
			learnerHere("stalled", cluster("healthy healthy dead", intent(4, replacing(3)))),
			learnerHere("healthy", cluster("healthy healthy dead", intent(4, replacing(3)))),
			learnerHere("healthy", cluster("healthy healthy", intent(4))),
			hasData(4, cluster("healthy healthy", intent(4), alsoMember(member(4, "healthy")))),
			hasData(4, cluster("healthy healthy", alsoMember(member(4, "healthy")))),
		}}
		plan, err := RunPromotion(ctx, host(4), w)
		if err != nil || plan.Step != StepDone || strings.Join(w.steps, " ") != "remove promote release" {
			t.Errorf("got %s %s %v after %q", plan.Step, plan.Reason, err, w.steps)
		}
	})
}

// What is added, and under which intent.
func TestAdditions(t *testing.T) {
	for _, c := range []struct {
		name     string
		policy   Policy
		obs      Observation
		learner  bool
		replaces ID
	}{
		{"a voter", host(4, size(5)), observed(cluster("healthy healthy healthy")), false, 0},
		{"as a promotion follows", host(4, size(5), promotes), observed(cluster("healthy healthy healthy")), true, 0},
		{"always", host(4, size(5), learner(LearnerAlways)), observed(cluster("healthy healthy healthy")), true, 0},
		{"never", host(4, size(5), promotes, learner(LearnerNever)), observed(cluster("healthy healthy healthy")), false, 0},
		{"the second member", host(4, size(3)), observed(cluster("healthy")), true, 0},
		{"3.3", host(4, size(5), promotes), with(observed(cluster("healthy healthy healthy", version(3, 3))), func(o *Observation) { o.EtcdVersion = Version{3, 3} }), false, 0},
		{"beside a dead one", host(6, size(5), promotes), observed(cluster("healthy healthy healthy healthy dead", gone)), true, founderID(5)},
	} {
		plan := decideClaimed(c.policy, c.obs)
		if plan.Step != StepAdd || plan.Learner != c.learner || plan.Intent == nil || plan.Intent.Replaces != c.replaces {
			t.Errorf("%s: got %s, learner %v, intent %+v", c.name, plan.Step, plan.Learner, plan.Intent)
		}
	}
}

// Whoever gives up lets go of its intent, unless it is about to start.
func TestRunLetsGo(t *testing.T) {
	for _, c := range []struct {
		name string
		obs  Observation
		want string
	}{
		{"nothing was added", observed(cluster("healthy healthy healthy", intent(4))), "release"},
		{"it is added", observed(cluster("healthy healthy", intent(4), alsoMember(member(4, "added")))), ""},
		{"only its former self is there", observed(cluster("healthy healthy healthy", intent(4, func(i *Intent) { i.Former = founderID(4) }), alsoMember(member(4, "silent")))), "release"},
		{"what it began has changed nothing", observed(cluster("healthy healthy healthy", begun(4, 1, 2, 3))), "forget"},
		{"what it began has removed a member", observed(cluster("healthy healthy", begun(4, 1, 2, 3), intent(5))), ""},
		{"another host's", observed(cluster("healthy healthy healthy", intent(5))), ""},
		{"it moved", hasData(4, cluster("healthy healthy healthy", intent(4, func(i *Intent) { i.Purpose = ToRepair }), alsoMember(member(4, "healthy")))), "release"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			w := &script{world: []Observation{c.obs}}
			if _, err := Run(ctx, host(4), w); err != nil || strings.Join(w.steps, " ") != c.want {
				t.Errorf("%s: did %q, want %q (%v)", c.name, w.steps, c.want, err)
			}
		})
	}
}
