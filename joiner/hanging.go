package joiner

import (
	"fmt"
	"slices"
)

// firstPatient is the first etcd that, when it joins, gives up on a listed
// member that hangs; older ones wait for its version without end
// (etcdserver/cluster_util.go, getVersion).
var firstPatient = Version{3, 6}

// hangs tells whether a member takes connections, or swallows packets, and
// answers nobody. One that refuses connections holds up nobody.
func (c Cluster) hangs(m Member) bool {
	h := m.Health
	return m.Started() && h.Reached == "" && !h.gone() && h.Unclear == "" && !(c.NoProof == "" && h.Following)
}

// gone tells whether nobody at the addresses of a member holds up who asks there.
func (h Health) gone() bool { return h.Refused || h.Other != "" }

// hanging stands before an add and before the list of members is told to
// etcd: a member that hangs goes first, and where the strategy removes nobody,
// an etcd that would wait for it without end is not started.
func (j joining) hanging() (Plan, bool) {
	some := j.hangers(0)
	switch {
	case len(some) == 0:
		return Plan{}, false
	case j.p.removes():
		return j.clear(some)
	case j.o.EtcdVersion.Known() && !j.o.EtcdVersion.atLeast(firstPatient):
		return wait(MemberHangs, fmt.Sprintf("member %s hangs, and an etcd %s that joins would wait for it without end", describe(some[0]), j.o.EtcdVersion),
			"bring it back or stop it; -join-strategy=replace removes it once it is dead"), true
	}
	return Plan{}, false
}

// hangers are the members that hang, except this host's own entry and the
// member but.
func (j joining) hangers(but ID) []Member {
	return slices.DeleteFunc(slices.Clone(j.c.Members), func(m Member) bool {
		return !j.c.hangs(m) || m.ID == but || sameURLs(m.PeerURLs, j.p.PeerURLs)
	})
}

// clear removes them all or none: whoever is not known to be dead yet is
// watched before the first one goes.
func (j joining) clear(some []Member) (Plan, bool) {
	if m, ok := j.longest(some, undecided); ok {
		return j.watching(m, "an etcd that joins would wait for it"), true
	}
	if m, ok := j.longest(some, unknowable); ok {
		return noEvidence(j.c, m), true
	}
	return j.takeOut(some, HangingDead)
}
