package joiner

import (
	"fmt"
	"slices"
	"strings"
)

// versionGate stands before every change of the membership: what etcd itself
// would let in may kill the members that are there.
func (j joining) versionGate() (plan Plan, blocked bool) {
	return first(j.preflight, j.sound, j.listable, j.version)
}

// sound: with the alarm CORRUPT etcd serves nobody, and whoever joins gets a
// copy of data that is not the same everywhere.
func (j joining) sound() (plan Plan, blocked bool) {
	for _, m := range j.c.Members {
		if slices.Contains(m.Alarms, "CORRUPT") {
			return refuse(AlarmCorrupt, fmt.Sprintf("member %s of cluster %s has raised the alarm CORRUPT: the members hold different data", describe(m), j.c.ID),
				"find the member that is wrong (etcdctl endpoint hashkv --cluster) and take it out (elastic-etcd leave there), then run: etcdctl alarm disarm"), true
		}
	}
	return Plan{}, false
}

// mayStart stands before this host's etcd starts as a member that is listed
// already: whoever made the entry did not ask for its version. A founder that
// comes late is not kept out because nobody knows one.
func (j joining) mayStart(m Member) (plan Plan, blocked bool) {
	mine, theirs := j.o.EtcdVersion, j.c.Version
	founder := j.o.recordFor(m.ID)
	switch {
	case founder && (!mine.Known() || !theirs.Known()):
		return Plan{}, false
	case mine.Major == 2 && theirs.Major == 2: // which says 2.1 until all founders were up
		return Plan{}, false
	}
	return j.version()
}

// listable: what etcd is told of the members is one list, and an address with a
// comma in it would be two. etcd's own check of a new member lets it through.
func (j joining) listable() (plan Plan, blocked bool) {
	for _, m := range j.c.Members {
		if slices.ContainsFunc(m.PeerURLs, func(u string) bool { return strings.ContainsAny(u, ",\"' \t\r\n") }) {
			return refuse(MemberUnlistable, fmt.Sprintf("member %s has the peer URLs %q, which no list of members can hold", describe(m), m.PeerURLs),
				fmt.Sprintf("give it others: etcdctl member update %s --peer-urls=URL; or remove it", m.ID)), true
		}
	}
	return Plan{}, false
}

func (j joining) version() (plan Plan, blocked bool) {
	mine, theirs := j.o.EtcdVersion, j.c.Version
	switch {
	case j.p.AnyVersion:
		return Plan{}, false
	case !mine.Known():
		return refuse(VersionUnknown, "the version of this host's etcd is not known, and a wrong one can destroy the cluster",
			"give -etcd-binary=PATH or -etcd-version=X.Y.Z (-etcd-version=any takes the risk)"), true
	case j.c.Downgrading:
		return wait(VersionDowngrade, fmt.Sprintf("cluster %s is %s, and a downgrade of it is enabled: whoever joins now is of the wrong version soon", j.c.ID, theirs),
			"finish the downgrade first, or end it: etcdctl downgrade cancel"), true
	case theirs.Known() && mine.mayJoin(theirs), theirs == undecidedVersion && j.fitsServers(mine):
		return Plan{}, false
	case !theirs.Known():
		return wait(VersionUndecided, fmt.Sprintf("cluster %s has not agreed on a version yet", j.c.ID), ""), true
	}
	return refuse(VersionSkew, fmt.Sprintf("this host's etcd is %s and cluster %s is %s: only the same minor or the next one joins safely", mine, j.c.ID, theirs),
		fmt.Sprintf("install etcd %s or %s on this host, or upgrade the cluster first", theirs, theirs.next())), true
}

// undecidedVersion is what a cluster says until all its founders have been up
// together for some seconds; a founder that dies before that leaves it there.
var undecidedVersion = Version{3, 0}

// fitsServers tells whether this etcd fits every server whose version is
// known and is no newer than all of them: it then brings no entries that the
// members do not know from one another.
func (j joining) fitsServers(mine Version) bool {
	equal := false
	for _, m := range j.c.Members {
		if !m.Version.Known() {
			continue
		}
		if !mine.mayJoin(m.Version) {
			return false
		}
		equal = equal || m.Version == mine
	}
	return equal
}
