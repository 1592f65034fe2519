package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/sttts/elastic-etcd/joiner"
)

// shownStatus is what -o json prints. docs/status.md documents it: keys are
// added, never renamed. null is what is not known.
type shownStatus struct {
	Cluster   joiner.ID      `json:"cluster"`
	Quorum    bool           `json:"quorum"`
	From      string         `json:"from"`
	Version   *string        `json:"version"`
	Leader    *joiner.ID     `json:"leader"`
	Term      *uint64        `json:"term"`
	Voters    int            `json:"voters"`
	Healthy   int            `json:"healthy"`
	Tolerance int            `json:"tolerance"`
	Self      *joiner.ID     `json:"self"`
	Data      joiner.OwnData `json:"data"`
	Intent    *shownIntent   `json:"intent"`
	Begun     *shownIntent   `json:"unfinished"`
	NoIntent  string         `json:"no_intent"`
	NoProof   string         `json:"no_proof"`
	Members   []shownMember  `json:"members"`
}

type shownIntent struct {
	Name     string          `json:"name"`
	PeerURLs []string        `json:"peer_urls"`
	Purpose  joiner.Purpose  `json:"purpose"`
	Replaces *joiner.ID      `json:"replaces"`
	Left     joiner.Duration `json:"left"`
	Unclear  string          `json:"unclear"`
}

type shownMember struct {
	ID         joiner.ID        `json:"id"`
	Name       string           `json:"name"`
	PeerURLs   []string         `json:"peer_urls"`
	ClientURLs []string         `json:"client_urls"`
	Role       string           `json:"role"`
	Started    bool             `json:"started"`
	Self       bool             `json:"self"`
	Healthy    bool             `json:"healthy"`
	Reached    *string          `json:"reached"`
	Unclear    string           `json:"unclear"`
	Refused    bool             `json:"refused"`
	Following  *bool            `json:"following"`
	Stalled    *joiner.Duration `json:"stalled"`
	Lag        *uint64          `json:"lag"`
	Unapplied  *uint64          `json:"unapplied"`
	Version    *string          `json:"version"`
	DBSize     *int64           `json:"db_size"`
	DBInUse    *int64           `json:"db_in_use"`
	Alarms     []string         `json:"alarms"`
}

// statusJSON prints a status for scripts.
func statusJSON(w io.Writer, s joiner.Status) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(shown(s)); err != nil {
		return err
	}
	_, err := io.WriteString(w, printableJSON(b.String()))
	return err
}

func shown(s joiner.Status) shownStatus {
	c := s.Cluster
	out := shownStatus{
		Cluster: c.ID, Quorum: s.Quorum, From: c.From, Leader: orNull(c.Leader), Term: orNull(c.Term),
		Voters: s.Voters, Healthy: s.Healthy, Tolerance: s.Tolerance, Self: orNull(s.Self), Data: s.Data,
		Intent: shownIntentOf(c.Intent), Begun: shownIntentOf(c.Unfinished()), NoIntent: c.NoIntent, NoProof: c.NoProof,
	}
	if c.Version.Known() {
		out.Version = orNull(c.Version.String())
	}
	for _, m := range c.Members {
		out.Members = append(out.Members, shownMemberOf(s, m))
	}
	return out
}

func shownIntentOf(i *joiner.Intent) *shownIntent {
	if i == nil {
		return nil
	}
	return &shownIntent{i.Name, notNull(i.PeerURLs), i.Purpose, orNull(i.Replaces), i.Left, i.Unclear}
}

func shownMemberOf(s joiner.Status, m joiner.Member) shownMember {
	h, d := m.Health, m.Details
	out := shownMember{
		ID: m.ID, Name: m.Name, PeerURLs: notNull(m.PeerURLs), ClientURLs: notNull(m.ClientURLs),
		Role: role(s.Cluster, m), Started: m.Started(), Self: m.ID == s.Self, Healthy: s.Takes(m),
		Reached: orNull(h.Reached), Unclear: h.Unclear, Refused: h.Refused,
		Version: orNull(d.Version), DBSize: orNull(d.DBSize), DBInUse: orNull(d.DBInUse), Alarms: m.Alarms,
	}
	if lag, known := s.Lag(m); known {
		out.Following, out.Stalled, out.Lag = &h.Following, &h.Stalled, &lag
	}
	if n, known := d.Unapplied(); known {
		out.Unapplied = &n
	}
	if tellsAlarms(s) {
		out.Alarms = notNull(m.Alarms)
	}
	return out
}

// tellsAlarms: etcd 2 has none, and a member alone does not tell them.
func tellsAlarms(s joiner.Status) bool { return s.Quorum && s.Cluster.API != "v2" }

// orNull is nil for the zero value, which is what is not known.
func orNull[T comparable](v T) *T {
	var unknown T
	if v == unknown {
		return nil
	}
	return &v
}

// notNull is a list that is [] when it is empty.
func notNull(list []string) []string { return append([]string{}, list...) }

// printableJSON escapes what a terminal would act on and the encoder leaves:
// in JSON that stands in strings only.
func printableJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch r1, r2 := utf16.EncodeRune(r); {
		case unicode.IsPrint(r) || r == '\n':
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\u%04x\u%04x`, r1, r2)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
