package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
)

// ofToken are the settings to look at a discovery token: the one in the
// arguments, or that of the flags. Whoever looks is no member.
type ofToken struct {
	values
	url string
}

func (t ofToken) String(name string) string {
	switch {
	case name == "name":
		return "looking"
	case name == "etcd-version":
		return "any"
	case name == "initial-cluster-state":
		return joiner.StateExisting
	case name == "initial-advertise-peer-urls":
		return defaultPeerURL
	case t.url != "" && name == "discovery":
		return t.url
	case t.url != "" && (name == "discovery-token" || name == "discovery-endpoints"):
		return ""
	}
	return t.values.String(name)
}

// openToken makes the world of somebody who looks at a token.
func (a *app) openToken(c *cli.Command) (*world, error) {
	if c.Args().Len() > 1 {
		return nil, usagef("%q: one token at a time", c.Args().Slice())
	}
	s, err := a.readSettings(ofToken{c, c.Args().First()})
	if err != nil {
		return nil, err
	}
	if s.sources.founding.flag == "" {
		return nil, usagef("no token: give its URL, or -discovery-token with -discovery-endpoints")
	}
	s.policy.PeerURLs = nil // what runs on this host does not matter
	return a.open(c, s)
}

// registered is a token beside the cluster that its founders form.
type registered struct {
	d       joiner.Discovery
	cluster *joiner.Cluster // nil = nobody tells of it with a quorum
	untold  *failure        // why that is so
	entries []registration
}

// registration is one entry, and what became of it.
type registration struct {
	joiner.Entry
	peer    joiner.Peer // empty = it is none
	founder bool
	member  *joiner.Member // nil = it is none, or nobody tells
}

// lookTime is how long it is worth to look for a cluster: an election's time.
const lookTime = 3 * time.Second

// lookAtToken reads the registrations first, then the members: of what is
// registered and no member by then, nothing is a host that just joined.
func (w *world) lookAtToken(ctx context.Context) (registered, error) {
	d, hints := w.sources.Look(ctx)
	if err := unreadable(d); err != nil {
		return registered{}, err
	}
	r := registered{d: d}
	for end := time.Now().Add(lookTime); ; {
		r.see(w.api.Look(ctx, where(d, hints)))
		if r.cluster != nil || r.untold.code == joiner.ExitNeedsHuman || time.Now().After(end) || !pause(ctx, watchPause) {
			break
		}
	}
	r.entries = registrations(d, r.cluster)
	return r, nil
}

// see takes the cluster of one look, or why nobody tells of it.
func (r *registered) see(s etcdapi.Sight) {
	if r.cluster = founded(r.d, s.Clusters); r.cluster != nil {
		r.untold = nil
		return
	}
	r.untold = &failure{joiner.ExitNotNow, errors.New("nobody tells of the cluster of " + sourceName(r.d) + " with a quorum")}
	o := joiner.Observation{Discovery: r.d, Clusters: s.Clusters, Views: s.Views, Failures: s.Failures}
	if f, hint, barred := o.Barring(); barred {
		r.untold = &failure{joiner.ExitNeedsHuman, fmt.Errorf("%w: %s: %s (%s)", r.untold.err, f.URL, f.Error, hint)}
	} else if len(s.Failures) > 0 {
		f := s.Failures[max(0, slices.IndexFunc(s.Failures, func(f joiner.Failure) bool { return f.Bar != "" }))]
		r.untold.err = fmt.Errorf("%w: %s: %s", r.untold.err, f.URL, f.Error)
	}
}

func unreadable(d joiner.Discovery) error {
	switch {
	case d.Error != "":
		return &failure{joiner.ExitNotNow, unreadableError(d.Error)}
	case d.Missing:
		return &failure{joiner.ExitNeedsHuman, unreadableError(d.Name() + ": there is no such token")}
	}
	return nil
}

// unreadableError is a text of the discovery that is a sentence already.
type unreadableError string

func (e unreadableError) Error() string { return string(e) }

// founded picks the cluster that the founders of a token form. Another one, at
// an address that somebody else has now, tells nothing of this token's members.
func founded(d joiner.Discovery, clusters []joiner.Cluster) *joiner.Cluster {
	i := slices.IndexFunc(clusters, func(c joiner.Cluster) bool { return d.Founded(c.ID) })
	if i < 0 {
		return nil
	}
	return &clusters[i]
}

func registrations(d joiner.Discovery, c *joiner.Cluster) []registration {
	var list []registration
	for i, e := range d.Entries {
		r := registration{Entry: e, founder: i < d.Size}
		r.peer, _ = e.Peer()
		if c != nil {
			r.member = r.of(c.Members)
		}
		list = append(list, r)
	}
	return list
}

// of finds the member that a registration is of: by a peer URL, or by the ID
// of a founder that has moved.
func (r registration) of(members []joiner.Member) *joiner.Member {
	for i, m := range members {
		at := func(url string) bool { return slices.Contains(m.PeerURLs, url) }
		if m.ID.String() == r.Key || slices.ContainsFunc(r.peer.URLs, at) {
			return &members[i]
		}
	}
	return nil
}

// state says what became of a registration.
func (r registered) state(of registration) string {
	switch {
	case of.member != nil:
		return "member"
	case len(of.peer.URLs) == 0:
		return "invalid"
	case r.cluster == nil:
		return "unknown"
	}
	return "gone"
}

// unregistered are the members that no registration leads to.
func (r registered) unregistered() []joiner.Member {
	if r.cluster == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.cluster.Members), func(m joiner.Member) bool {
		return slices.ContainsFunc(r.entries, func(e registration) bool { return e.member != nil && e.member.ID == m.ID })
	})
}

// collectable are the registrations that may go: behind the founders, and of
// no member. Without the word of the cluster's quorum it is none.
func (r registered) collectable() []joiner.Entry {
	var gone []joiner.Entry
	for _, e := range r.entries {
		if r.cluster != nil && !e.founder && e.member == nil {
			gone = append(gone, e.Entry)
		}
	}
	return gone
}
