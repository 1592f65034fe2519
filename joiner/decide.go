package joiner

import "fmt"

// Decide says what to do next. It is a pure function: the same policy and
// observation give the same plan, and it reads nothing else. The rules are
// tried in the order of docs/decision-table.md.
func Decide(p Policy, o Observation) Plan {
	switch {
	case o.Disk.Running:
		return resume(p, o, ResumeRunning, "an etcd runs on the data dir: nothing is changed")
	case o.Disk.State == DiskDamaged:
		return refuse(DataDamaged, fmt.Sprintf("the data dir %q is damaged: %s", p.DataDir, o.Disk.Detail),
			"restore the member from a backup, or move the directory away so that this host joins as a new member")
	case o.Disk.State == DiskData:
		return withData(p, o)
	case len(o.Clusters) > 1:
		return ambiguous(o)
	case len(o.Clusters) == 1:
		return joining{p, o, o.Clusters[0]}.decide()
	}
	return withoutQuorum(p, o)
}

func ambiguous(o Observation) Plan {
	a, b := o.Clusters[0], o.Clusters[1]
	return refuse(ClustersAmbiguous,
		fmt.Sprintf("two clusters answer: %s at %s and %s at %s", a.ID, a.From, b.ID, b.From),
		"take the addresses of the cluster that is not meant out of the discovery service or the endpoints")
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

func watch(r Reason, text string) Plan {
	return Plan{Step: StepWatch, Reason: r, Text: text, Exit: ExitNotNow}
}
