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
	reason joiner.Reason
	cause  string
	at     time.Time
}

func newReporter(log *logrus.Logger) *reporter { return &reporter{log: log} }

func (r *reporter) report(plan joiner.Plan) {
	if plan.Final() {
		return // the end is told by whoever ends
	}
	notifyWait(plan)
	entry := r.log.WithFields(fields(plan))
	if plan.Cause != nil && plan.Cause.Error != r.cause {
		r.cause = plan.Cause.Error
		r.log.Warnf("%s failed and is tried again: %s", plan.Cause.Step, plan.Cause.Error)
	}
	if plan.Reason == r.reason && plan.Cause != nil || plan.Reason == r.reason && time.Since(r.at) < heartbeat && !plan.Step.Changes() {
		entry.Trace(plan.Text)
		return
	}
	r.reason, r.at = plan.Reason, time.Now()
	entry.Info(plan.Text)
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
