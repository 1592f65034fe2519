package joiner

import (
	"fmt"
	"slices"
	"time"
)

// Intent says, in the cluster itself, who is changing its membership. It is
// one key under a lease, so whoever died lets go of it in the end. The lease
// outlives a run: between the add of a member and the start of its etcd
// nobody else may change the membership, or etcd refuses the list of members
// that it was given.
type Intent struct {
	Name     string   `json:"name"`
	PeerURLs []string `json:"peer_urls"` // sorted; they tell whose it is
	// Purpose is what is done, for people.
	Purpose Purpose `json:"purpose"`
	// Replaces is the dead member that goes once the newcomer has caught up,
	// zero where nobody is left to remove.
	Replaces ID `json:"replaces,omitempty"`
	// Former is the started member that had these URLs before: this host's
	// former self, and not the one that the intent brings.
	Former ID `json:"former,omitempty"`
	// Size is how many members the cluster is to have, as its host counted
	// before it began; zero where there is no limit.
	Size int `json:"size,omitempty"`
	// Of are the members that there were when a join began; nil where nothing
	// is left to do but to start.
	Of []ID `json:"of,omitempty"`

	// Lease and Revision identify it in the cluster; neither is written.
	// Revision is the key's modification index.
	Lease    int64 `json:"lease,omitempty"`
	Revision int64 `json:"revision,omitempty"`
	// Left is the time left of the lease.
	Left Duration `json:"left,omitempty"`
	// Unclear says why it is not known whether there is one.
	Unclear string `json:"unclear,omitempty"`
}

// Purpose is what an intent is for.
type Purpose string

// The purposes.
const (
	ToJoin    Purpose = "join"
	ToPromote Purpose = "promote"
	ToLeave   Purpose = "leave"
	ToRepair  Purpose = "repair" // removes dead members, or gives a member its new URLs
)

// IntentKey is where the intent is in the cluster.
const IntentKey = "_elastic-etcd/intent"

// IntentTime is how long an intent lasts unless it is renewed: long enough
// for etcd to start after this tool has ended.
const IntentTime = 2 * time.Minute

// live tells whether the intent is in force.
func (i *Intent) live() bool { return i != nil && (i.Left > 0 || i.Unclear != "") }

// by tells whether it is this host's. Of two hosts that were given the same peer
// URLs by mistake, each has a name of its own.
func (i *Intent) by(p Policy) bool {
	return i.live() && i.Unclear == "" && sameURLs(i.PeerURLs, p.identity()) && i.Name == p.signature()
}

// done tells whether what it is for has happened, and only its end is still to
// come: whoever waits for it takes it over.
func (i *Intent) done(c Cluster) bool {
	if i.Unclear != "" || i.Purpose != ToJoin && i.Purpose != ToPromote {
		return false
	}
	if _, there := c.member(i.Replaces); there {
		return false
	}
	for _, m := range c.Members {
		if sameURLs(m.PeerURLs, i.PeerURLs) {
			return m.Started() && !m.Learner && m.ID != i.Former
		}
	}
	return false
}

// inFlight tells whether another host is changing the membership.
func (c Cluster) inFlight(p Policy) bool {
	return c.Intent.live() && !c.Intent.by(p) && !c.Intent.done(c) && !c.stuck(p)
}

// changeTime is longer than a change may take after its intent was renewed.
const changeTime = 20 * time.Second

// stuck tells whether the intent is that of a host whose etcd never comes up,
// and which renews it with every try. It is taken over when no change can be
// under way.
func (c Cluster) stuck(p Policy) bool {
	i := c.Intent
	if i.Unclear != "" || i.Purpose != ToJoin || i.Left > Duration(IntentTime-changeTime) {
		return false
	}
	return slices.ContainsFunc(c.Members, func(m Member) bool { return sameURLs(m.PeerURLs, i.PeerURLs) && m.neverStarts(p) })
}

// neverStarts tells whether an entry had time enough to start, whoever is at it.
func (m Member) neverStarts(p Policy) bool {
	return !m.Started() && m.Health.Unstarted >= Duration(IntentTime)+p.DeadAfter
}

// joins tells whether the member is one that another host is just starting.
func (c Cluster) joins(m Member, p Policy) bool {
	return c.inFlight(p) && sameURLs(c.Intent.PeerURLs, m.PeerURLs)
}

// renewBelow is what is left of an intent when it is renewed.
const renewBelow = Duration(IntentTime / 2)

// turn stands before every change of the membership: it is this host's turn
// when the intent in the cluster is its own. Where there can be none, the
// change is made without.
func (c Cluster) turn(p Policy, want Intent) (plan Plan, blocked bool) {
	want.Name, want.PeerURLs, want.Former = p.signature(), p.identity(), c.former(p, want.Purpose)
	if want.Purpose == ToJoin && !c.waitsFor(p) {
		want.Of = c.beginning() // what it makes of them is remembered, see begun.go
	}
	switch i := c.Intent; {
	case c.inFlight(p): // also of one who could put his there, where we cannot
		return c.inFlightPlan(), true
	case c.NoIntent != "":
		return Plan{}, false
	case !i.by(p), want.Purpose == ToJoin && i.Purpose != ToJoin, want.Of != nil && !c.began(p):
		// An intent of a leave that died says nothing of a join, nor does one
		// of a join of which nothing is remembered.
		if i != nil {
			want.Revision = i.Revision
		}
		return c.claim(IntentClaim, want, fmt.Sprintf("cluster %s is told that this host changes its membership (%s)", c.ID, want.Purpose)), true
	case want.Replaces != 0 && i.Replaces != want.Replaces:
		want.Revision = i.Revision
		return c.claim(IntentClaim, want, fmt.Sprintf("cluster %s is told that this host replaces member %s", c.ID, want.Replaces)), true
	case i.Left < renewBelow:
		return c.claim(IntentRenew, *i, fmt.Sprintf("this host goes on changing the membership of cluster %s", c.ID)), true
	}
	return Plan{}, false
}

// former is the ID of a member with our URLs that has run, where we are about
// to join in its place.
func (c Cluster) former(p Policy, purpose Purpose) ID {
	for _, m := range c.Members {
		if purpose == ToJoin && m.Started() && sameURLs(m.PeerURLs, p.PeerURLs) {
			return m.ID
		}
	}
	return 0
}

// waitsFor tells whether an entry of this host waits for its start, which changes
// the members no more.
func (c Cluster) waitsFor(p Policy) bool {
	return slices.ContainsFunc(c.Members, func(m Member) bool { return !m.Started() && sameURLs(m.PeerURLs, p.PeerURLs) })
}

func (c Cluster) claim(r Reason, i Intent, text string) Plan {
	return Plan{Step: StepClaim, Reason: r, Cluster: c.ID, Intent: &i, Text: text}
}

func (c Cluster) inFlightPlan() Plan {
	i := c.Intent
	if i.Unclear != "" {
		return wait(JoinInFlight, fmt.Sprintf("whether another host is changing the membership of cluster %s cannot be read: %s", c.ID, i.Unclear), "let this host reach the client URLs of the members")
	}
	hint := "let its etcd start; an intent that nobody renews runs out by itself"
	if i.Left > 2*Duration(IntentTime) {
		hint = "nobody puts an intent there for so long, unless the clock of an etcd 2.3 is wrong: delete the key " + IntentKey
	}
	return wait(JoinInFlight, fmt.Sprintf("host %q at %q is changing the membership of cluster %s (%s): this host waits, for %s more if that one gives up",
		i.Name, i.PeerURLs, c.ID, i.Purpose, i.Left.Round()), hint)
}

// under is the intent to make a change under.
func (c Cluster) under(p Policy) *Intent {
	if c.NoIntent != "" || !c.Intent.by(p) {
		return nil
	}
	i := *c.Intent
	return &i
}

// letGo is the step that gives up this host's intent, where it is not about
// to start as the member that the intent is for.
func (o Observation) letGo(p Policy) (Plan, bool) {
	for _, c := range o.Clusters {
		listed := false
		for _, m := range c.Members {
			listed = listed || sameURLs(m.PeerURLs, p.identity()) && (c.Intent == nil || m.ID != c.Intent.Former)
		}
		if i := c.under(p); i != nil && (!listed || i.Purpose == ToRepair || i.Purpose == ToLeave) {
			return c.release(*i), true
		}
		if plan, mine := c.forget(p); mine && c.untouched() {
			return plan, true
		}
	}
	return Plan{}, false
}

func (c Cluster) release(i Intent) Plan {
	return Plan{Step: StepRelease, Reason: IntentRelease, Cluster: c.ID, Intent: &i,
		Text: fmt.Sprintf("cluster %s is told that this host is done with its membership", c.ID)}
}
