package joiner

import (
	"slices"
)

// Foresee lists the steps that Run would take from an observation if every
// step succeeds and nobody else acts: the last one is a wait, a refusal or
// what etcd is told.
func Foresee(p Policy, o Observation) []Plan {
	const most = 64 // no real sequence is near it; a rule that loops ends here
	p = p.Settle(o)
	var plans []Plan
	for len(plans) < most {
		plan := Decide(p, o)
		plans = append(plans, plan)
		if !plan.Step.Changes() {
			break
		}
		o = o.after(p, plan)
	}
	return plans
}

// after is the observation that follows a step.
func (o Observation) after(p Policy, plan Plan) Observation {
	switch plan.Step {
	case StepRecord:
		id, _ := ParseID(plan.Entry.Key)
		o.Disk.Record = &Record{Token: o.Discovery.Token, MemberID: id}
	case StepRegister:
		o.Discovery.Entries = append(slices.Clone(o.Discovery.Entries), *plan.Entry)
	case StepArchive:
		o.Disk = Disk{State: DiskFresh}
	default:
		o.Clusters = slices.Clone(o.Clusters)
		for i, c := range o.Clusters {
			if c.ID == plan.Cluster {
				o.Clusters[i] = c.after(p, plan)
			}
		}
	}
	return o
}

func (c Cluster) after(p Policy, plan Plan) Cluster {
	c.Members = slices.Clone(c.Members)
	switch plan.Step {
	case StepClaim:
		claimed := *plan.Intent
		claimed.Left, claimed.Lease = Duration(IntentTime), 1
		c.Intent = &claimed
		if claimed.Of != nil {
			c.Begun = &claimed
		}
	case StepRelease:
		c.Intent = nil
	case StepForget:
		c.Begun = nil
	case StepPromote:
		for i := range c.Members {
			if c.Members[i].ID == plan.Member.ID {
				c.Members[i].Learner = false
			}
		}
	case StepRemove:
		c.Members = slices.DeleteFunc(c.Members, func(m Member) bool { return m.ID == plan.Member.ID })
	case StepAdd:
		c.Members = append(c.Members, Member{PeerURLs: p.PeerURLs, Learner: plan.Learner})
	case StepUpdate:
		for i := range c.Members {
			if c.Members[i].ID == plan.Member.ID {
				c.Members[i].PeerURLs = p.PeerURLs
			}
		}
	}
	return c
}
