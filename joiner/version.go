package joiner

import (
	"fmt"
	"slices"
	"strings"
)

// Version is the part of a version that decides who may join whom: etcd
// promises nothing across more than one minor. The zero value is "unknown".
type Version struct {
	Major int64 `json:"major"`
	Minor int64 `json:"minor"`
}

// Known tells whether the version is known.
func (v Version) Known() bool { return v != Version{} }

func (v Version) String() string {
	if !v.Known() {
		return "unknown"
	}
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// mayJoin tells whether a server of version v may join members of version
// other: the same minor or exactly one higher. etcd's own check is wider and
// lets in newcomers that old members die of (a 3.6 into a 3.4 cluster).
func (v Version) mayJoin(other Version) bool {
	return v == other || v == other.next()
}

// foundsWith tells whether servers of the two versions may found a cluster
// together: it is then of the older one.
func (v Version) foundsWith(other Version) bool {
	return v.mayJoin(other) || other.mayJoin(v)
}

func (v Version) atLeast(other Version) bool {
	return v.Major > other.Major || v.Major == other.Major && v.Minor >= other.Minor
}

func (v Version) next() Version {
	if v == (Version{2, 3}) {
		return Version{3, 0}
	}
	return Version{v.Major, v.Minor + 1}
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
	case founder && theirs == undecidedVersion && j.c.everyServer(mine.foundsWith):
		return Plan{}, false // it agrees on the oldest once this founder is up
	case mine.Major == 2 && theirs.Major == 2: // which says 2.1 until all founders were up
		return Plan{}, false
	}
	return j.version()
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
		return wait(VersionDowngrade, fmt.Sprintf("cluster %s is %s and on its way to an older version: nobody joins until it is there", j.c.ID, theirs),
			"finish the downgrade first, or end it: etcdctl downgrade cancel"), true
	case theirs.Known() && mine.mayJoin(theirs), theirs == undecidedVersion && j.fitsServers(mine):
		return Plan{}, false
	case !theirs.Known(), theirs == undecidedVersion && j.mayFitServers(mine):
		return wait(VersionUndecided, fmt.Sprintf("cluster %s has not agreed on a version yet", j.c.ID), "start all its members, or an etcd of the version that they are of"), true
	case theirs == undecidedVersion:
		return refuse(VersionSkew, fmt.Sprintf("this host's etcd is %s, and members of cluster %s are %s: only the same minor or the next one joins safely", mine, j.c.ID, j.c.servers()),
			"install an etcd of their version on this host"), true
	}
	return refuse(VersionSkew, fmt.Sprintf("this host's etcd is %s and cluster %s is %s: only the same minor or the next one joins safely", mine, j.c.ID, theirs),
		fmt.Sprintf("install etcd %s or %s on this host, or upgrade the cluster first", theirs, theirs.next())), true
}

// undecidedVersion is what a cluster says until all its founders have been up
// together for some seconds; a founder that dies before that leaves it there.
var undecidedVersion = Version{3, 0}

// decided tells whether the cluster has agreed on a version.
func (c Cluster) decided() bool { return c.Version.Known() && c.Version != undecidedVersion }

// mayFitServers tells whether this etcd fits once the members have agreed: it
// is too new for none of those whose version is known.
func (j joining) mayFitServers(mine Version) bool { return j.c.everyServer(mine.mayJoin) }

// fitsServers tells whether this etcd fits every server and is no newer than
// all of them: it then brings no entries that the members do not know from one
// another.
func (j joining) fitsServers(mine Version) bool {
	known := slices.ContainsFunc(j.c.Members, func(m Member) bool { return m.Version == mine })
	return known && j.c.everyServer(mine.mayJoin)
}

// servers are the versions of the members, as far as they are known.
func (c Cluster) servers() string {
	var known []string
	for _, m := range c.Members {
		if m.Version.Known() {
			known = append(known, m.Version.String())
		}
	}
	slices.Sort(known)
	return strings.Join(slices.Compact(known), " and ")
}

// everyServer tells whether all members whose version is known are so, and
// there is one.
func (c Cluster) everyServer(so func(Version) bool) bool {
	known := false
	for _, m := range c.Members {
		if !m.Version.Known() {
			continue
		}
		if !so(m.Version) {
			return false
		}
		known = true
	}
	return known
}
