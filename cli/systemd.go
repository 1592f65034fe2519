package cli

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/coreos/go-systemd/v22/journal"
	"github.com/sirupsen/logrus"

	"github.com/sttts/elastic-etcd/joiner"
)

// MessageID marks the one record of a decision in the journal:
// journalctl MESSAGE_ID=... lists every decision a host ever took.
const MessageID = "5f2a6c31d0b94e0c8a3c7e914d2f6b08"

// extension is how much more time a start gets with every word of a wait.
const extension = 30 * time.Second

// notify tells systemd, if it listens. An ExecCondition= or ExecStartPre= is
// heard only with NotifyAccess=all. That nobody listens is no failure.
func notify(lines ...string) {
	_, _ = daemon.SdNotify(false, strings.Join(lines, "\n"))
}

// notifyWait shows a wait in systemctl status and keeps the start timeout
// away.
func notifyWait(plan joiner.Plan) {
	notify("STATUS="+printable(plan.Text), fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", extension.Microseconds()))
}

// journalDecision writes the end of a run into the journal, with fields to
// search for.
func journalDecision(plan joiner.Plan) {
	if !journal.Enabled() {
		return
	}
	priority := journal.PriInfo
	if plan.Exit != joiner.ExitDone {
		priority = journal.PriErr
	}
	_ = journal.Send(printable(plan.Text), priority, map[string]string{
		"MESSAGE_ID":          MessageID,
		"SYSLOG_IDENTIFIER":   "elastic-etcd",
		"ELASTIC_ETCD_STEP":   string(plan.Step),
		"ELASTIC_ETCD_REASON": string(plan.Reason),
		"ELASTIC_ETCD_EXIT":   fmt.Sprint(plan.Exit),
		"ELASTIC_ETCD_HINT":   printable(plan.Hint),
	})
}

// underJournal tells whether standard error goes to the journal, which keeps
// the time and takes a level from the start of a line (sd-daemon(3)).
func underJournal() bool {
	is, err := journal.StderrIsJournalStream()
	return err == nil && is
}

// journalFormatter writes lines for the journal.
type journalFormatter struct{}

// Format renders one entry.
func (journalFormatter) Format(e *logrus.Entry) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%d>%s", priority(e.Level), printable(e.Message))
	writeFields(&b, e.Data)
	return b.Bytes(), nil
}

func priority(l logrus.Level) journal.Priority {
	switch l {
	case logrus.ErrorLevel, logrus.FatalLevel, logrus.PanicLevel:
		return journal.PriErr
	case logrus.WarnLevel:
		return journal.PriWarning
	case logrus.InfoLevel:
		return journal.PriInfo
	}
	return journal.PriDebug
}
