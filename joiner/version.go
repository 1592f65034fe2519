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

// killsMembers tells whether a server of version v writes what a server of
// version other dies of: it is more than one minor newer.
func (v Version) killsMembers(other Version) bool {
	return v.Known() && other.Known() && v.atLeast(other) && !v.mayJoin(other)
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

// mayResume stands before this host's etcd goes on as the member that it is.
// An older one, or one that nobody knows, is no danger to be refused for: etcd
// itself does not start where it is too old. Members that are further than
// their cluster's version are no leave: this host's data is of that version,
// and a 3.6 panics over what a 3.4 left, a 3.7 over a 3.5's.
func (j joining) mayResume() (plan Plan, blocked bool) {
	switch {
	case j.c.decided() && j.o.EtcdVersion.killsMembers(j.c.Version):
		return j.o.tooNew("cluster " + j.c.ID.String() + " is " + j.c.Version.String()), true
	case j.c.decided():
		return Plan{}, false
	}
	return j.o.spares(j.c.ID, j.c.Members)
}

// ageWarning is of an etcd that resumes, and may not.
func (o Observation) ageWarning(p Policy) (text string, warn bool) {
	c, found := o.cluster(o.Disk.ClusterID)
	mine := o.EtcdVersion
	switch {
	case o.Disk.State != DiskData || o.Disk.Running || p.AnyVersion:
	case !mine.Known():
		return "the version of this host's etcd is not known: one that is more than one minor newer than the cluster would kill its members (-etcd-binary, -etcd-version)", true
	case found && c.decided() && !c.Downgrading && !mine.atLeast(c.Version):
		return fmt.Sprintf("this host's etcd is %s and cluster %s is %s: etcd does not start where it is older than its cluster", mine, c.ID, c.Version), true
	}
	return "", false
}

// spares tells whether the servers of a cluster survive what this host's etcd
// writes, as far as their versions are known.
func (o Observation) spares(cluster ID, members []Member) (plan Plan, blocked bool) {
	i := slices.IndexFunc(members, func(m Member) bool { return o.EtcdVersion.killsMembers(m.Version) })
	if i < 0 {
		return Plan{}, false
	}
	return o.tooNew(fmt.Sprintf("member %s of cluster %s is %s", describe(members[i]), cluster, members[i].Version)), true
}

func (o Observation) tooNew(what string) Plan {
	return refuse(VersionSkew, fmt.Sprintf("this host's etcd is %s and %s: its members would die of an etcd that is more than one minor newer", o.EtcdVersion, what),
		"nothing was changed: install the etcd that this host had, or the next minor, and upgrade all members one minor at a time (where another one is started than the one that was asked, say which: -etcd-binary or -etcd-version)")
}

func (j joining) version() (plan Plan, blocked bool) {
	mine, theirs := j.o.EtcdVersion, j.c.Version
	switch {
	case j.p.AnyVersion:
		return Plan{}, false
	case !mine.Known() && j.o.EtcdMissing:
		return wait(VersionUnknown, "this host's etcd told its version before and does not now: it is being replaced, or gone", "finish its installation"), true
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

// decided tells whether the version of the cluster says what its members are
// at least. An etcd 2 says 2.1 until all founders were up.
func (c Cluster) decided() bool {
	return c.Version.Known() && c.Version != undecidedVersion && c.Version != Version{2, 1}
}

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
