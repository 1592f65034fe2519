package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

const tokenUsage = `The token is the URL of one, or what -discovery-token and -discovery-endpoints
say. -cacert, -cert, -key, -peer-..., -user, -password-file, -client-port and
-discovery-... are those of elastic-etcd itself.`

func (a *app) discoveryShow() *cli.Command {
	return a.apart(&cli.Command{
		Name:      "show",
		Usage:     "shows who registered with a token, and who of them is a member",
		UsageText: "elastic-etcd discovery show [-o text|json] [URL]",
		Description: tokenUsage + `

Ends with 0 if the token could be read, whether its cluster answers or not, 75 if
not now, 78 if there is none.`,
		Flags:  []cli.Flag{&cli.StringFlag{Name: "o", Value: "text", Usage: "the output `format` out of: text, json"}},
		Action: a.showToken,
	})
}

func (a *app) showToken(ctx context.Context, c *cli.Command) error {
	show, known := map[string]func(io.Writer, registered) error{"text": tokenText, "json": tokenJSON}[c.String("o")]
	if !known {
		return usagef("-o=%s is not text or json", c.String("o"))
	}
	w, err := a.openToken(c)
	if err != nil {
		return err
	}
	defer w.close()
	r, err := w.lookAtToken(ctx)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := show(&b, r); err != nil {
		return unexpected(err)
	}
	_, err = a.stdout.Write(b.Bytes())
	return err
}

func tokenText(w io.Writer, r registered) error {
	var b strings.Builder
	fmt.Fprintln(&b, printable(discoveryText(r.d)))
	if r.cluster == nil {
		fmt.Fprintln(&b, printable(r.untold.Error()))
	} else {
		fmt.Fprintf(&b, "cluster %s, by %s\n", r.cluster.ID, printable(r.cluster.From))
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t)
	row(t, "PLACE", "KEY", "NAME", "PEER URLS", "TODAY")
	for i, e := range r.entries {
		name, urls := fmt.Sprintf("%q", e.peer.Name), strings.Join(e.peer.URLs, " ")
		if len(e.peer.URLs) == 0 {
			name, urls = "", fmt.Sprintf("%.60q", e.Value)
		}
		row(t, place(i, e), fmt.Sprintf("%.40s", e.Key), name, urls, today(r, e))
	}
	for _, m := range r.unregistered() {
		row(t, "none", "", fmt.Sprintf("%q", m.Name), strings.Join(m.PeerURLs, " "), "member "+m.ID.String())
	}
	t.Flush()
	_, err := io.WriteString(w, b.String())
	return err
}

func place(i int, e registration) string {
	if e.founder {
		return fmt.Sprintf("founder %d", i+1)
	}
	return fmt.Sprintf("%d", i+1)
}

func today(r registered, e registration) string {
	if e.member != nil {
		return "member " + e.member.ID.String()
	}
	return map[string]string{"invalid": "no registration", "unknown": "unknown", "gone": "no member"}[r.state(e)]
}

// shownToken is what -o json prints. docs/discovery.md documents it: keys are
// added, never renamed. null is what is not known.
type shownToken struct {
	Token        string       `json:"token"`
	Size         int          `json:"size"`
	Complete     bool         `json:"complete"`
	Cluster      *joiner.ID   `json:"cluster"`
	ClusterError *string      `json:"cluster_error"`
	Entries      []shownEntry `json:"entries"`
	Unregistered []joiner.ID  `json:"unregistered"`
}

type shownEntry struct {
	Key      string     `json:"key"`
	Value    string     `json:"value"`
	Name     string     `json:"name"`
	PeerURLs []string   `json:"peer_urls"`
	Founder  bool       `json:"founder"`
	State    string     `json:"state"`
	Member   *joiner.ID `json:"member"`
}

func tokenJSON(w io.Writer, r registered) error {
	shown := shownToken{Token: r.d.Token, Size: r.d.Size, Complete: r.d.Invalid == "" && len(r.d.Entries) >= r.d.Size, Entries: []shownEntry{}, Unregistered: []joiner.ID{}}
	if r.cluster != nil {
		shown.Cluster = &r.cluster.ID
	}
	if r.untold != nil {
		why := r.untold.Error()
		shown.ClusterError = &why
	}
	for _, e := range r.entries {
		s := shownEntry{Key: e.Key, Value: e.Value, Name: e.peer.Name, PeerURLs: append([]string{}, e.peer.URLs...), Founder: e.founder, State: r.state(e)}
		if e.member != nil {
			s.Member = &e.member.ID
		}
		shown.Entries = append(shown.Entries, s)
	}
	for _, m := range r.unregistered() {
		shown.Unregistered = append(shown.Unregistered, m.ID)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(shown)
}
