package joiner

import (
	"fmt"
	"slices"
)

// A token belongs to one cluster: the one whose ID is made of its founders'.
// Registrations outlive their hosts, and whoever has such an address now may
// be in a cluster of its own. So may whoever has the address of a member: without
// a token the addresses count that the admin named.

// Founded tells whether a cluster is the one that the founders of this token
// formed, however they spelled the token.
func (d Discovery) Founded(cluster ID) bool {
	if d.Size < 1 || len(d.Entries) < d.Size {
		return false
	}
	ids := make([]ID, d.Size)
	for i, e := range d.Entries[:d.Size] {
		id, err := ParseID(e.Key)
		if err != nil {
			return false
		}
		ids[i] = id
	}
	return FoundingID(ids) == cluster
}

// After is what is known of a token after an earlier look: while the service
// does not answer, who registered before still did.
func (d Discovery) After(before Discovery) Discovery {
	if d.Error != "" && len(d.Entries) == 0 && d.Kind == before.Kind {
		d.Token, d.Size, d.Entries = before.Token, before.Size, before.Entries
	}
	return d
}

// registers tells whether the source holds registrations, which anybody who
// knows the token may write, and nobody clears up.
func (d Discovery) registers() bool { return d.Kind != "" && !d.Listed() }

// mayJoin tells whether a cluster is one to join: the token's, or one that the
// admin named. One that is restored from a backup has a new ID. An address in a
// list of members may be somebody else's by now, and so may one of several that
// the admin names, if another one leads to a cluster that has no quorum just now.
func (o Observation) mayJoin(c Cluster) bool {
	return o.Discovery.Founded(c.ID) || c.Named && !o.namesOther(c) && o.lists(c)
}

// namesOther tells whether an address that the admin named is of another
// cluster, which has no quorum.
func (o Observation) namesOther(c Cluster) bool {
	return slices.ContainsFunc(o.Views, func(v View) bool {
		_, quorate := o.cluster(v.ClusterID)
		return v.Named && v.ClusterID != c.ID && !quorate
	})
}

// lists tells whether a list that founds is one of the members of a cluster: of
// half of them at least, as they come and go.
func (o Observation) lists(c Cluster) bool {
	if !o.Discovery.Listed() {
		return true
	}
	n := 0
	for _, e := range o.Discovery.Entries {
		p, err := e.Peer()
		if err == nil && slices.ContainsFunc(c.Members, func(m Member) bool { return overlap(m.PeerURLs, p.URLs) }) {
			n++
		}
	}
	return 2*n >= len(o.Discovery.Entries)
}

// isOurs tells whether a cluster is for certain the one that this host is told
// to be of: the token's, or one that lists its peer URLs, or that answers at
// most of the addresses that the admin named.
func (o Observation) isOurs(c Cluster, p Policy) bool {
	listed := slices.ContainsFunc(c.Members, func(m Member) bool { return overlap(m.PeerURLs, p.PeerURLs) })
	return o.Discovery.Founded(c.ID) || o.mayJoin(c) && (listed || 2*c.NamedAt > o.Named)
}

// foreign is for clusters that are not ours: no member of theirs is removed, and
// nobody joins them by mistake. Where one runs at the addresses of this token,
// nobody founds either.
func (o Observation) foreign(p Policy) (plan Plan, decided bool) {
	if len(o.Clusters) == 0 {
		return Plan{}, false
	}
	if plan, taken := o.taken(p, nil); taken {
		return plan, true
	}
	c := o.Clusters[0]
	if o.Discovery.Kind == "" || o.namesOther(c) {
		return Plan{}, false
	}
	return wait(ClusterForeign, fmt.Sprintf("%s leads to cluster %s (%s), which is not the one of its founders: nobody joins that by mistake", o.Discovery.Name(), c.ID, c.From),
		"start the founders; if this host is to join that cluster all the same (one that is restored from a backup has a new ID), name its members: -endpoints, and of a list -initial-cluster-state=existing"), true
}

// taken tells whether an etcd of another cluster than that to join runs at a
// peer URL of this host: its own could not start there, and the members would
// call that one.
func (o Observation) taken(p Policy, ours *Cluster) (plan Plan, taken bool) {
	who, found := o.at(p.PeerURLs, ours)
	if !found {
		return Plan{}, false
	}
	return refuse(OwnURLsInUse, who+" runs at the peer URLs of this host", "stop that etcd, or give another peer URL"), true
}

// at describes an etcd that answers at one of these peer URLs, and is not of
// our cluster.
func (o Observation) at(peerURLs []string, ours *Cluster) (who string, found bool) {
	for _, c := range o.Clusters {
		i := slices.IndexFunc(c.Members, func(m Member) bool { return m.Health.Reached != "" && overlap(m.PeerURLs, peerURLs) })
		if i >= 0 && (ours == nil || c.ID != ours.ID) {
			return fmt.Sprintf("member %s of another cluster, %s,", describe(c.Members[i]), c.ID), true
		}
	}
	for _, v := range o.Views {
		if slices.Contains(peerURLs, v.From) && ours != nil && v.ClusterID != ours.ID {
			return fmt.Sprintf("an etcd of another cluster, %s,", v.ClusterID), true
		}
	}
	return "", false
}
