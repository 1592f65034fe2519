package cli

import (
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/sttts/elastic-etcd/joiner"
)

// heartbeat is how often a wait that goes on is logged again.
const heartbeat = 10 * time.Second

// reporter logs decisions: each once, a long wait with a slow heartbeat.
type reporter struct {
	log    *logrus.Logger
	reason joiner.Reason // of what was told last
	at     time.Time     // when
	cause  joiner.Cause  // of the failure that was told last
}

func newReporter(log *logrus.Logger) *reporter { return &reporter{log: log} }

func (r *reporter) report(plan joiner.Plan) {
	if plan.Final() {
		return // the end is told by whoever ends
	}
	notifyWait(plan)
	r.warn(plan.Cause)
	entry := r.log.WithFields(fields(plan))
	if r.repeats(plan) {
		entry.Trace(plan.Text)
		return
	}
	r.reason, r.at = plan.Reason, time.Now()
	entry.Info(plan.Text)
}

// warn tells why a step failed, once while it goes on to fail for that.
func (r *reporter) warn(cause *joiner.Cause) {
	if cause == nil {
		r.cause = joiner.Cause{}
		return
	}
	if *cause != r.cause {
		r.log.Warnf("%s failed and is tried again: %s", cause.Step, cause.Error)
	}
	r.cause = *cause
}

// repeats tells whether this was told a moment ago. A step is told each time,
// for it may be done to another member, but not each time that it fails.
func (r *reporter) repeats(plan joiner.Plan) bool {
	if plan.Step.Changes() && plan.Cause == nil {
		return false
	}
	return plan.Reason == r.reason && time.Since(r.at) < heartbeat
}

// end tells how a run ended.
func (r *reporter) end(plan joiner.Plan) {
	journalDecision(plan)
	notify("STATUS=" + status(plan))
	if underJournal() {
		return // it has the record
	}
	entry := r.log.WithFields(fields(plan))
	if plan.Exit == joiner.ExitDone {
		entry.Info(plan.Text)
		return
	}
	entry.WithField("exit", plan.Exit).Error(plan.Text)
	if plan.Hint != "" {
		r.log.Error("what to do: " + plan.Hint)
	}
}

// status is the end of a run for systemctl status.
func status(plan joiner.Plan) string {
	if plan.Exit == joiner.ExitDone {
		return printable(plan.Text)
	}
	return printable(fmt.Sprintf("refused (%s): %s", plan.Reason, plan.Text))
}

func fields(plan joiner.Plan) logrus.Fields {
	return logrus.Fields{"reason": plan.Reason, "step": plan.Step}
}
