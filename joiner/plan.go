package joiner

// Step is the one thing to do next.
type Step string

// The steps. After every one of them but Refuse, Emit and Done the
// world is observed anew.
const (
	StepRecord     Step = "record"      // write the founder record
	StepRegister   Step = "register"    // register with the discovery service
	StepClaim      Step = "claim"       // tell the cluster that this host changes it
	StepRemove     Step = "remove"      // remove a member
	StepAdd        Step = "add"         // add this host as a member
	StepPromote    Step = "promote"     // make a learner a voter
	StepRelease    Step = "release"     // tell the cluster that this host is done
	StepForget     Step = "forget"      // tell the cluster that a join is over
	StepMoveLeader Step = "move-leader" // let another member lead
	StepUpdate     Step = "update"      // give this member its new peer URLs
	StepArchive    Step = "archive"     // rename the data of a removed member
	StepWatch      Step = "watch"       // gather evidence
	StepWait       Step = "wait"        // wait for other hosts or for people
	StepRefuse     Step = "refuse"      // give up
	StepEmit       Step = "emit"        // tell etcd
	StepDone       Step = "done"        // nothing is left to do
)

// Changes tells whether the step touches anything.
func (s Step) Changes() bool {
	switch s {
	case StepRecord, StepRegister, StepClaim, StepRemove, StepAdd, StepPromote, StepMoveLeader, StepRelease, StepForget, StepUpdate, StepArchive:
		return true
	}
	return false
}

// Exit codes a plan can end in. docs/exit-codes.md has all of them.
const (
	ExitDone          = 0  // EX_OK
	ExitNotConfigured = 6  // LSB: program is not configured
	ExitNotNow        = 75 // EX_TEMPFAIL: safe to try again
	ExitNeedsHuman    = 78 // EX_CONFIG: trying again does not help
)

// Reason says which rule of the decision table fired. The codes are stable.
type Reason string

// Plan is a decision: one step, why, and what it needs.
type Plan struct {
	Step   Step   `json:"step"`
	Reason Reason `json:"reason"`
	// Text is one sentence for people.
	Text string `json:"text"`
	// Hint is what a human can do, where the step is to wait or to refuse.
	Hint string `json:"hint,omitempty"`
	// Exit is the code to end with if this is the last plan: for a wait,
	// when the time is up.
	Exit int `json:"exit"`

	Cluster ID `json:"cluster,omitempty"` // whose membership is changed
	// Seen are its members, on which the decision to change it rests.
	Seen   []ID    `json:"seen,omitempty"`
	Member *Member `json:"member,omitempty"` // who is removed, promoted or updated, as last seen
	// Intent is what is claimed, renewed or released, or what a change is
	// made under; nil = without one.
	Intent *Intent `json:"intent,omitempty"`
	// Learner says how this host is added.
	Learner bool        `json:"learner,omitempty"`
	Entry   *Entry      `json:"entry,omitempty"`  // what is registered, also beside an emit
	Config  *EtcdConfig `json:"config,omitempty"` // what is emitted
	Cause   *Cause      `json:"cause,omitempty"`  // why the last attempt at a step failed
}

// Cause is the failure of an attempt, kept with the plan that is tried again.
type Cause struct {
	Step  Step   `json:"step"`
	Error string `json:"error"`
}

// Final tells whether nothing follows the plan.
func (p Plan) Final() bool { return p.Step == StepRefuse || p.Step == StepEmit || p.Step == StepDone }
