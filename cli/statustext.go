package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/sttts/elastic-etcd/joiner"
)

// statusText prints a status for people.
func statusText(w io.Writer, s joiner.Status) error {
	var b strings.Builder
	c := s.Cluster
	fmt.Fprintf(&b, "cluster %s, version %s, term %d\n\n", c.ID, c.Version, c.Term)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row(t, "MEMBER", "NAME", "ROLE", "ETCD", "DB", "PEER URLS", "HEALTH")
	for _, m := range c.Members {
		name := fmt.Sprintf("%q", m.Name)
		if m.ID == s.Self {
			name += " (this host)"
		}
		row(t, m.ID.String(), name, role(c, m), m.Version.String(), size(m.DBSize), strings.Join(m.PeerURLs, " "), condition(s, m))
	}
	t.Flush()
	fmt.Fprintf(&b, "\n%s%s", printable(intentText(c)), printable(verdictText(s))+"\n")
	_, err := io.WriteString(w, b.String())
	return err
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

// size is a number of bytes for people.
func size(bytes int64) string {
	if bytes == 0 {
		return "?"
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

// condition says who sees what of a member.
func condition(s joiner.Status, m joiner.Member) string {
	h, c := m.Health, s.Cluster
	parts := append([]string(nil), m.Alarms...)
	switch {
	case !m.Started():
		parts = append(parts, "never started")
	case h.Reached != "":
		parts = append(parts, "answers")
	case h.Unclear != "":
		parts = append(parts, "answers unclearly: "+h.Unclear)
	case h.Refused:
		parts = append(parts, "refuses connections")
	default:
		parts = append(parts, "does not answer this host")
	}
	switch {
	case !m.Started() || c.NoProof != "":
	case h.Following:
		parts = append(parts, "follows the log")
	default:
		parts = append(parts, fmt.Sprintf("%d entries behind", s.Lag(m)))
	}
	return strings.Join(parts, ", ")
}

func intentText(c joiner.Cluster) string {
	i := c.Intent
	switch {
	case c.NoIntent != "":
		return "hosts cannot tell each other that they change the membership: " + c.NoIntent + ". "
	case i == nil || i.Left <= 0:
		return ""
	case i.Replaces != 0:
		return fmt.Sprintf("%q is changing the membership (%s, replaces %s, %s left). ", i.Name, i.Purpose, i.Replaces, i.Left.Round())
	}
	return fmt.Sprintf("%q is changing the membership (%s, %s left). ", i.Name, i.Purpose, i.Left.Round())
}

func verdictText(s joiner.Status) string {
	text := fmt.Sprintf("%d of %s healthy: ", s.Healthy, count(s.Voters, "voter"))
	if s.Cluster.NoProof != "" {
		text = fmt.Sprintf("%d of %s answer this host (the leader's word is not to be had: %s): ", s.Healthy, count(s.Voters, "voter"), s.Cluster.NoProof)
	}
	if s.Tolerance < 1 {
		return text + "no fault tolerance left, the next failure takes the quorum"
	}
	return text + count(s.Tolerance, "more") + " may fail"
}

// count gives a number with its noun; "more" has no plural.
func count(n int, noun string) string {
	if n == 1 || noun == "more" {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// statusMember is a member as -o json shows it.
type statusMember struct {
	ID         joiner.ID `json:"id"`
	Name       string    `json:"name"`
	Role       string    `json:"role"` // leader, voter, learner
	Self       bool      `json:"self"`
	Started    bool      `json:"started"`
	Healthy    bool      `json:"healthy"`   // takes part, by the leader's word where that is known
	Reached    string    `json:"reached"`   // the URL that answered this host
	Following  *bool     `json:"following"` // the leader's word; null = not known
	Lag        *uint64   `json:"lag"`       // entries behind; null = not known
	Version    string    `json:"version"`
	DBSize     int64     `json:"db_size"` // bytes; 0 = not known
	Alarms     []string  `json:"alarms"`
	PeerURLs   []string  `json:"peer_urls"`
	ClientURLs []string  `json:"client_urls"`
}

func statusJSON(w io.Writer, s joiner.Status) error {
	c := s.Cluster
	out := struct {
		Cluster   joiner.ID      `json:"cluster"`
		Version   string         `json:"version"`
		Leader    joiner.ID      `json:"leader"`
		Term      uint64         `json:"term"`
		Voters    int            `json:"voters"`
		Healthy   int            `json:"healthy"`
		Tolerance int            `json:"tolerance"` // healthy voters that may still fail
		Intent    *joiner.Intent `json:"intent"`
		NoIntent  string         `json:"no_intent"`
		NoProof   string         `json:"no_proof"`
		Members   []statusMember `json:"members"`
	}{c.ID, c.Version.String(), c.Leader, c.Term, s.Voters, s.Healthy, s.Tolerance, c.Intent, c.NoIntent, c.NoProof, nil}
	for _, m := range c.Members {
		out.Members = append(out.Members, memberJSON(s, m))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func memberJSON(s joiner.Status, m joiner.Member) statusMember {
	out := statusMember{
		ID: m.ID, Name: m.Name, Role: role(s.Cluster, m), Self: m.ID == s.Self, Started: m.Started(), Healthy: s.Takes(m),
		Reached: m.Health.Reached, Version: m.Version.String(), DBSize: m.DBSize,
		Alarms: append([]string{}, m.Alarms...), PeerURLs: m.PeerURLs, ClientURLs: append([]string{}, m.ClientURLs...),
	}
	if s.Cluster.NoProof == "" {
		following, lag := m.Health.Following, s.Lag(m)
		out.Following, out.Lag = &following, &lag
	}
	return out
}
