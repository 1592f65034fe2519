package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/sttts/elastic-etcd/joiner"
)

// writeText prints a plan for people: what was seen, what would be done.
func writeText(w io.Writer, r report) error {
	var b strings.Builder
	writeSeen(&b, r)
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "warning\n  %s\n", printable(warning))
	}
	writeSteps(&b, r.Plans)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeSeen(b *strings.Builder, r report) {
	fmt.Fprintln(b, "seen")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row(t, "this host", fmt.Sprintf("%q at %s, etcd %s", r.Policy.Name, strings.Join(r.Policy.PeerURLs, " "), r.Observation.EtcdVersion))
	row(t, "data dir", disk(r))
	if d := r.Observation.Discovery; d.Kind != "" {
		row(t, "discovery", discoveryText(d))
	}
	for _, h := range r.Observation.Hints {
		row(t, "hint", hintText(h))
	}
	for _, c := range r.Observation.Clusters {
		row(t, "cluster", clusterText(c))
		for _, m := range c.Members {
			row(t, "  member", m.ID.String(), fmt.Sprintf("%q", m.Name), strings.Join(m.PeerURLs, " "), health(c, m))
		}
	}
	if len(r.Observation.Clusters) == 0 {
		row(t, "cluster", fmt.Sprintf("none with a quorum, addresses asked: %d", r.Observation.Contacts))
	}
	for _, f := range r.Observation.Failures {
		row(t, "no answer", f.URL, f.Error)
	}
	t.Flush()
}

func row(t *tabwriter.Writer, cells ...string) {
	for i, c := range cells {
		cells[i] = printable(c)
	}
	fmt.Fprintln(t, "  "+strings.Join(cells, "\t"))
}

func disk(r report) string {
	d := r.Observation.Disk
	text := fmt.Sprintf("%q: %s", r.Policy.DataDir, d.State)
	if d.State == joiner.DiskData {
		text += fmt.Sprintf(" of member %s in cluster %s", d.MemberID, d.ClusterID)
	}
	if d.Detail != "" {
		text += ", " + d.Detail
	}
	switch {
	case d.Running:
		text += ", an etcd runs on it"
	case d.Record != nil && !d.Record.Spent:
		text += ", with the record of a founder that never ran"
	case d.Record != nil:
		text += ", with the spent record of a founder"
	}
	return text
}

func discoveryText(d joiner.Discovery) string {
	switch {
	case d.Error != "":
		return sourceName(d) + ": " + d.Error
	case d.Missing:
		return d.Name() + ": unknown there"
	case d.Invalid != "":
		return sourceName(d) + ": " + d.Invalid
	case d.Listed():
		return fmt.Sprintf("%s: %d listed", sourceName(d), len(d.Entries))
	}
	return fmt.Sprintf("%s: %d registered, size %d", sourceName(d), len(d.Entries), d.Size)
}

func sourceName(d joiner.Discovery) string {
	if d.Source != "" {
		return d.Source
	}
	return d.Token
}

func clusterText(c joiner.Cluster) string {
	text := fmt.Sprintf("%s, version %s, leader %s, by %s", c.ID, c.Version, c.Leader, c.From)
	if c.NoProof != "" {
		text += "; the leader's progress is not known: " + c.NoProof
	}
	return text
}

// health says in one cell who saw what of a member.
func health(c joiner.Cluster, m joiner.Member) string {
	h, parts := m.Health, []string{}
	if m.Learner {
		parts = append(parts, "learner")
	}
	if !m.Started() {
		parts = append(parts, "never started")
	}
	switch {
	case h.Reached != "":
		parts = append(parts, "answers at "+h.Reached)
	case h.Unclear != "":
		parts = append(parts, "answers unclearly: "+h.Unclear)
	default:
		parts = append(parts, "silent for "+h.Silent.Round().String())
	}
	switch {
	case c.NoProof != "" && h.Proven:
		parts = append(parts, "speaks for a quorum")
	case c.NoProof != "" && h.Reached != "":
		parts = append(parts, "speaks for itself alone")
	case c.NoProof != "":
	case h.Following:
		parts = append(parts, fmt.Sprintf("follows the log (match %d)", h.Match))
	default:
		parts = append(parts, fmt.Sprintf("log stands still for %s (match %d)", h.Stalled.Round(), h.Match))
	}
	return strings.Join(parts, ", ")
}

func writeSteps(b *strings.Builder, plans []joiner.Plan) {
	fmt.Fprintln(b, "would do")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for i, p := range plans {
		row(t, fmt.Sprint(i+1), string(p.Step), string(p.Reason), p.Text)
	}
	t.Flush()
	last := plans[len(plans)-1]
	if last.Hint != "" {
		fmt.Fprintf(b, "what to do\n  %s\n", printable(last.Hint))
	}
	fmt.Fprintf(b, "exit code %d\n", last.Exit)
}
