package joiner

import (
	"fmt"
	"slices"
)

// Decide says what to do next. It is a pure function: the same policy and
// observation give the same plan, and it reads nothing else. The rules are
// tried in the order of docs/decision-table.md.
func Decide(p Policy, o Observation) Plan {
	switch {
	case o.Disk.Running:
		return resume(p, o, ResumeRunning, "an etcd runs on the data dir: nothing is changed")
	case o.Disk.State == DiskDamaged:
		return refuse(DataDamaged, fmt.Sprintf("the data dir %q is damaged: %s", p.DataDir, o.Disk.Detail),
			"if etcd has a --wal-dir, give it here too (-wal-dir); else restore the member from a backup, or move the directory away so that this host joins as a new member")
	case o.Disk.State == DiskData:
		return withData(p, o)
	}
	switch c, several := o.ours(); {
	case several:
		return ambiguous(o)
	case c != nil:
		return joining{p, o, *c}.decide()
	}
	if plan, decided := o.foreign(p); decided {
		return plan
	}
	return barred(p, o, withoutQuorum(p, o))
}

// ours is the cluster to join, nil when none has a quorum. Of several it is
// the one that the founders of our token made.
func (o Observation) ours() (c *Cluster, several bool) {
	some := o.joinable()
	for i := range some {
		if o.Discovery.Founded(some[i].ID) {
			return &some[i], false
		}
	}
	if len(some) == 0 {
		return nil, false
	}
	return &some[0], len(some) > 1
}

func (o Observation) joinable() []Cluster {
	return slices.DeleteFunc(slices.Clone(o.Clusters), func(c Cluster) bool { return !o.mayJoin(c) })
}

func ambiguous(o Observation) Plan {
	some := o.joinable()
	a, b := some[0], some[1]
	return refuse(ClustersAmbiguous,
		fmt.Sprintf("two clusters answer: %s at %s and %s at %s", a.ID, a.From, b.ID, b.From),
		"give -endpoints of one cluster only, or a discovery token of its own for each")
}

// first is the answer of the first check that has one.
func first(checks ...func() (Plan, bool)) (Plan, bool) {
	for _, check := range checks {
		if plan, decided := check(); decided {
			return plan, true
		}
	}
	return Plan{}, false
}

func refuse(r Reason, text, hint string) Plan {
	return Plan{Step: StepRefuse, Reason: r, Text: text, Hint: hint, Exit: ExitNeedsHuman}
}

// notNow refuses what may go well at another time.
func notNow(r Reason, text, hint string) Plan {
	return Plan{Step: StepRefuse, Reason: r, Text: text, Hint: hint, Exit: ExitNotNow}
}

func wait(r Reason, text, hint string) Plan {
	return Plan{Step: StepWait, Reason: r, Text: text, Hint: hint, Exit: ExitNotNow}
}

// watch gathers evidence, which takes time.
func watch(text string) Plan {
	return Plan{Step: StepWatch, Reason: WatchMembers, Text: text, Exit: ExitNotNow,
		Hint: "to tell takes the whole of -dead-after, under one leader: try again, or give more time (-timeout)"}
}
