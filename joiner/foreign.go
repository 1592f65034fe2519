package joiner

import (
	"fmt"
	"slices"
)

// A token belongs to one cluster: the one whose ID is made of its founders'.
// Registrations outlive their hosts, and whoever has such an address now may
// be in a cluster of its own.

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
// admin named. One that is restored from a backup has a new ID.
func (o Observation) mayJoin(c Cluster) bool {
	return c.Named || !o.Discovery.registers() || o.Discovery.Founded(c.ID)
}

// foreign is for clusters that registrations led to and that are not ours: no
// member of theirs is removed, and nobody joins them by mistake. Where one runs
// at the addresses of this token, nobody founds either.
func (o Observation) foreign(p Policy) (plan Plan, decided bool) {
	if len(o.Clusters) == 0 {
		return Plan{}, false
	}
	if plan, taken := o.taken(p, nil); taken {
		return plan, true
	}
	c := o.Clusters[0]
	return wait(ClusterForeign, fmt.Sprintf("registrations under %s lead to cluster %s (%s), which is not the one of its founders: nobody joins that by mistake", o.Discovery.Name(), c.ID, c.From),
		"start the founders; if this host is to join that cluster all the same (one that is restored from a backup has a new ID), name its members: -endpoints"), true
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
