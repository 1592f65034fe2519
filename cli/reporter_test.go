package cli

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/sttts/elastic-etcd/joiner"
)

// TestReporter: what goes on is told once, and again after a while; what fails
// is told once for each reason.
func TestReporter(t *testing.T) {
	wait := func(r joiner.Reason, c *joiner.Cause) joiner.Plan {
		return joiner.Plan{Step: joiner.StepWait, Reason: r, Text: "wait", Cause: c}
	}
	add := func(c *joiner.Cause) joiner.Plan {
		return joiner.Plan{Step: joiner.StepAdd, Reason: joiner.RoomToJoin, Text: "add", Cause: c}
	}
	cause := func(s joiner.Step, text string) *joiner.Cause { return &joiner.Cause{Step: s, Error: text} }
	refused := cause(joiner.StepAdd, "no")
	for _, c := range []struct {
		name  string
		plans []joiner.Plan // one a second
		want  string        // first letters of the texts of information and warnings
	}{
		{"a wait", repeat(5, wait(joiner.FoundersMissing, nil)), "wait"},
		{"a long wait", repeat(25, wait(joiner.FoundersMissing, nil)), "wait wait wait"},
		{"a long wait after a failure", repeat(25, wait(joiner.FoundersMissing, refused)), "WARN wait wait wait"},
		{"another wait", []joiner.Plan{wait(joiner.FoundersMissing, nil), wait(joiner.ClusterNoQuorum, nil)}, "wait wait"},
		{"a step, of one member after the other", repeat(3, add(nil)), "add add add"},
		{"a step that fails", append([]joiner.Plan{add(nil)}, repeat(5, add(refused))...), "add WARN"},
		{"for long", append([]joiner.Plan{add(nil)}, repeat(11, add(refused))...), "add WARN add"},
		{"in several ways", []joiner.Plan{add(nil), add(refused), add(cause(joiner.StepAdd, "late")), add(refused)}, "add WARN WARN WARN"},
		{"another step that fails so", []joiner.Plan{add(refused), add(cause(joiner.StepClaim, "no"))}, "WARN add WARN"},
		{"again, later", []joiner.Plan{add(refused), wait(joiner.FoundersMissing, nil), wait(joiner.FoundersMissing, refused)}, "WARN add wait WARN"},
		{"the end is told by others", []joiner.Plan{{Step: joiner.StepEmit, Text: "emit"}}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			log := logrus.New()
			log.SetOutput(&out)
			log.SetFormatter(lineFormatter{})
			r := newReporter(log)
			for _, p := range c.plans {
				r.report(p)
				time.Sleep(time.Second)
			}
			if got := told(out.String()); got != c.want {
				t.Errorf("%s: told %q, want %q", c.name, got, c.want)
			}
		})
	}
}

func repeat(n int, p joiner.Plan) []joiner.Plan {
	list := make([]joiner.Plan, n)
	for i := range list {
		list[i] = p
	}
	return list
}

// told are the texts of a log, WARN for each warning.
func told(log string) string {
	var list []string
	for line := range strings.Lines(log) {
		words := strings.Fields(line) // time, level, text
		if words[1] == "warning" {
			words[2] = "WARN"
		}
		list = append(list, words[2])
	}
	return strings.Join(list, " ")
}
