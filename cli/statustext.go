package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/sttts/elastic-etcd/joiner"
)

// statusText prints a status for people: who is there, what else there is to
// know, and in the last line the verdict.
func statusText(w io.Writer, s joiner.Status) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", printable(clusterLine(s)))
	writeMembers(&b, s)
	fmt.Fprintln(&b)
	for _, line := range []string{dataLine(s), intentLine(s.Cluster)} {
		if line != "" {
			fmt.Fprintln(&b, printable(line))
		}
	}
	fmt.Fprintln(&b, printable(verdictLine(s)))
	_, err := io.WriteString(w, b.String())
	return err
}

func clusterLine(s joiner.Status) string {
	c := s.Cluster
	if !s.Quorum {
		return fmt.Sprintf("cluster %s, as %s alone tells it", c.ID, c.From)
	}
	leader, term := "unknown", "unknown"
	if c.Leader != 0 {
		leader = c.Leader.String()
	}
	if c.Term != 0 {
		term = fmt.Sprint(c.Term)
	}
	version := c.Version.String()
	if c.Downgrading {
		version += " (a downgrade is enabled)"
	}
	return fmt.Sprintf("cluster %s, version %s, leader %s, term %s", c.ID, version, leader, term)
}

func writeMembers(b *strings.Builder, s joiner.Status) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row(t, "MEMBER", "NAME", "ROLE", "ETCD", "DB (IN USE)", "PEER URLS", "HEALTH")
	for _, m := range s.Cluster.Members {
		name := fmt.Sprintf("%q", m.Name)
		if m.ID == s.Self {
			name += " (this host)"
		}
		row(t, m.ID.String(), name, roleText(s.Cluster, m), versionText(m), sizes(m.Details), strings.Join(m.PeerURLs, " "), condition(s, m))
	}
	t.Flush()
}

func role(c joiner.Cluster, m joiner.Member) string {
	switch {
	case m.Learner:
		return "learner"
	case m.ID == c.Leader:
		return "leader"
	}
	return "voter"
}

func roleText(c joiner.Cluster, m joiner.Member) string {
	if !m.Started() {
		return "unstarted " + role(c, m)
	}
	return role(c, m)
}

func versionText(m joiner.Member) string {
	if m.Details.Version != "" {
		return m.Details.Version
	}
	return m.Version.String()
}

// sizes are those of the database, for people.
func sizes(d joiner.Details) string {
	switch {
	case d.DBSize == 0:
		return "unknown"
	case d.DBInUse == 0:
		return size(d.DBSize)
	}
	return fmt.Sprintf("%s (%s)", size(d.DBSize), size(d.DBInUse))
}

// size is a number of bytes with a unit that leaves one to three digits.
func size(bytes int64) string {
	n, units := float64(bytes), []string{"kB", "MB", "GB"}
	for n /= 1000; n >= 1000 && len(units) > 1; n /= 1000 {
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %s", n, units[0])
}

// condition says who sees what of a member, the worst first.
func condition(s joiner.Status, m joiner.Member) string {
	parts := append([]string(nil), m.Alarms...)
	for _, text := range []string{answering(s, m), logText(s, m)} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if n, _ := m.Details.Unapplied(); n >= manyUnapplied {
		parts = append(parts, count(n, "committed entry", "committed entries")+" not applied yet")
	}
	return strings.Join(parts, ", ")
}

// manyUnapplied is a fifth of the entries with which etcd takes no more writes.
const manyUnapplied = 1000

// answering is what this host sees.
func answering(s joiner.Status, m joiner.Member) string {
	switch h := m.Health; {
	case h.Reached != "" && s.Quorum && s.Cluster.NoProof != "" && !h.Proven:
		return "answers for itself alone"
	case h.Reached != "":
		return "answers"
	case h.Unclear != "":
		return "answers unclearly: " + h.Unclear
	case h.Other != "" && m.Started():
		return "another member answers at its address " + h.Other
	case h.Refused && m.Started():
		return "refuses connections"
	case !m.Started():
		return "" // nobody waits for its answer
	}
	return "not answering"
}

// logText is what the leader sees.
func logText(s joiner.Status, m joiner.Member) string {
	lag, known := s.Lag(m)
	switch behind := count(lag, "entry", "entries") + " behind"; {
	case !m.Started():
		return "never started"
	case !known:
		return ""
	case m.Health.Following:
		return "follows the log"
	case m.Health.Receiving:
		return "receives a snapshot, " + behind
	case m.Health.Stalled > 0:
		return "log stands still, " + behind
	default: // whether it moves was not seen
		return behind
	}
}

func dataLine(s joiner.Status) string {
	switch s.Data {
	case joiner.OwnMember:
		return fmt.Sprintf("the data dir of this host is that of member %s", s.Self)
	case joiner.OwnRemoved:
		return "the data dir of this host is of a member that this cluster does not list any more"
	case joiner.OwnUnknown:
		return "the data dir of this host is of a member of this cluster that is not listed there"
	case joiner.OwnForeign:
		return "the data dir of this host is of ANOTHER cluster, of which nobody was found"
	case joiner.OwnDamaged:
		return "the data dir of this host is damaged"
	}
	if s.Self != 0 {
		return "the data dir of this host is empty"
	}
	return ""
}

// unfinishedLine tells of a host that died over its join, or of places that a
// join left free.
func unfinishedLine(c joiner.Cluster) string {
	b := c.Unfinished()
	if b == nil {
		return ""
	}
	if c.Arrived() {
		return fmt.Sprintf("there is room for hosts that give no size: %q joined where there were to be %s", b.Name, count(b.Size, "member", "members"))
	}
	return fmt.Sprintf("%q began to join and has not ended: the next host that joins goes on", b.Name)
}

func intentLine(c joiner.Cluster) string {
	i := c.Intent
	switch {
	case c.NoIntent != "":
		return "hosts cannot tell each other who changes the membership: " + c.NoIntent
	case i == nil:
		return unfinishedLine(c)
	case i.Unclear != "":
		return "whether a host is changing the membership cannot be read: " + i.Unclear
	case i.Left <= 0:
		return ""
	case i.Replaces != 0:
		return fmt.Sprintf("%q is changing the membership (%s, replaces %s), for %s at most", i.Name, i.Purpose, i.Replaces, i.Left.Round())
	}
	return fmt.Sprintf("%q is changing the membership (%s), for %s at most", i.Name, i.Purpose, i.Left.Round())
}

func verdictLine(s joiner.Status) string {
	healthy := fmt.Sprintf("%d of %s", s.Healthy, count(s.Voters, "voter", "voters"))
	if !s.Quorum {
		return fmt.Sprintf("NO QUORUM: %s answer this host, and %d must agree", healthy, quorum(s))
	}
	text := healthy + " healthy"
	if s.Cluster.NoProof != "" {
		text = fmt.Sprintf("%s answer this host for a quorum (the leader's word is not to be had: %s)", healthy, s.Cluster.NoProof)
	}
	text += ": " + tolerance(s)
	if alarms := s.Alarms(); len(alarms) > 0 {
		text += "; ALARM: " + strings.Join(alarms, ", ")
	}
	return text
}

// quorum is how many voters must agree.
func quorum(s joiner.Status) int { return s.Voters/2 + 1 }

func tolerance(s joiner.Status) string {
	switch {
	case s.Tolerance < 0:
		return fmt.Sprintf("the quorum of %d is being lost", quorum(s))
	case s.Tolerance == 0 && s.Voters <= 2 && s.Healthy == s.Voters:
		return fmt.Sprintf("no fault tolerance: a cluster of %d never has any", s.Voters)
	case s.Tolerance == 0:
		return "no fault tolerance left: the next voter that fails takes the quorum"
	case s.Tolerance == 1:
		return "one may fail"
	}
	return fmt.Sprintf("%d may fail", s.Tolerance)
}

// count gives a number with its noun.
func count[N int | uint64](n N, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
