package joiner

import (
	"fmt"
	"slices"
	"strings"
)

// MaxDiscoverySize bounds the cluster size that a discovery service may ask
// for; etcd advises at most seven voters.
const MaxDiscoverySize = 99

// founderList is the first `size` registrations of a discovery token, checked.
type founderList struct {
	source string // for people
	listed bool   // no registrations, but a list that somebody wrote
	token  string
	size   int
	peers  []Peer
	ids    []ID
}

// founders checks the registrations that count: the first `size` by order of
// creation. An invalid one keeps its place, so it is an error that names it.
func founders(d Discovery) (founderList, error) {
	f := founderList{source: d.Name(), listed: d.Listed(), token: d.Token, size: d.Size}
	if d.Invalid != "" {
		return f, fmt.Errorf("%s: %s", f.source, d.Invalid)
	}
	if d.Size < 1 || d.Size > MaxDiscoverySize {
		return f, fmt.Errorf("%s: size %d is not between 1 and %d", f.source, d.Size, MaxDiscoverySize)
	}
	for _, e := range d.Entries[:min(d.Size, len(d.Entries))] {
		if err := f.append(e); err != nil {
			return f, fmt.Errorf("%s: entry %s: %w", f.source, quote(e.Key), err)
		}
	}
	return f, nil
}

func (f *founderList) append(e Entry) error {
	p, err := e.Peer()
	if err != nil {
		return err
	}
	if id := FounderID(p.URLs, f.token); e.Key != id.String() {
		return fmt.Errorf("it is not the ID that %q gets under this token (%s): that host spells the discovery URL or token differently", p.Name, id)
	}
	for _, other := range f.peers {
		if other.Name == p.Name {
			return fmt.Errorf("name %q is registered twice", p.Name)
		}
		if overlap(other.URLs, p.URLs) {
			return fmt.Errorf("%q and %q registered the same peer URL", other.Name, p.Name)
		}
	}
	f.peers = append(f.peers, p)
	f.ids = append(f.ids, FounderID(p.URLs, f.token))
	return nil
}

func (f founderList) complete() bool { return f.size > 0 && len(f.peers) == f.size }

func (f founderList) clusterID() ID { return FoundingID(f.ids) }

func (f founderList) names() string {
	names := make([]string, len(f.peers))
	for i, p := range f.peers {
		names[i] = fmt.Sprintf("%q", p.Name)
	}
	return strings.Join(names, ", ")
}

// servedBy tells whether a view is of exactly these founders.
func (f founderList) servedBy(v View) bool {
	ids := make([]ID, len(v.Members))
	for i, m := range v.Members {
		ids[i] = m.ID
	}
	slices.Sort(ids)
	return v.ClusterID == f.clusterID() && slices.Equal(ids, slices.Sorted(slices.Values(f.ids)))
}

// Peer reads a registration as etcd does: name=url[,name=url], one name.
func (e Entry) Peer() (Peer, error) {
	var p Peer
	for _, pair := range strings.Split(e.Value, ",") {
		name, url, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return Peer{}, fmt.Errorf("%s is not name=url[,name=url]", quote(e.Value))
		}
		if p.Name != "" && p.Name != name {
			return Peer{}, fmt.Errorf("%s has two names", quote(e.Value))
		}
		p.Name, p.URLs = name, append(p.URLs, url)
	}
	urls, err := PeerURLs(p.URLs)
	p.URLs = urls
	return p, err
}

// Registration is the entry under which a host registers with a token.
func Registration(name string, peerURLs []string, token string) Entry {
	return Entry{
		Key:   FounderID(peerURLs, token).String(),
		Value: Peer{Name: name, URLs: slices.Sorted(slices.Values(peerURLs))}.String(),
	}
}

// entry gives the registration under a key.
func (d Discovery) entry(key string) (Entry, bool) {
	i := slices.IndexFunc(d.Entries, func(e Entry) bool { return e.Key == key })
	if i < 0 {
		return Entry{}, false
	}
	return d.Entries[i], true
}

// announcement is the entry that tells later hosts of a member that joined:
// once the founders are gone, nobody else leads to the cluster. It never
// takes a founder's place.
func announcement(p Policy, o Observation) *Entry {
	d := o.Discovery
	mine := Registration(p.Name, p.PeerURLs, d.Token)
	if _, known := d.entry(mine.Key); known || d.Kind == "" || d.Listed() || d.Error != "" || d.Missing || len(d.Entries) < d.Size {
		return nil
	}
	return &mine
}

// quote shows a value from outside, bounded and without a password.
func quote(s string) string {
	const most = 200
	s = ShownURL(s)
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
