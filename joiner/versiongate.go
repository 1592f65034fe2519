package joiner

import "fmt"

// versionGate stands before every change of the membership: what etcd itself
// would let in may kill the members that are there.
func (j joining) versionGate() (plan Plan, blocked bool) {
	mine, theirs := j.o.EtcdVersion, j.c.Version
	switch {
	case j.p.AnyVersion:
		return Plan{}, false
	case !mine.Known():
		return refuse(VersionUnknown, "the version of this host's etcd is not known, and a wrong one can destroy the cluster",
			"give -etcd-binary=PATH or -etcd-version=X.Y.Z (-etcd-version=any takes the risk)"), true
	case theirs.Known() && mine.mayJoin(theirs), j.fitsEveryServer(mine):
		return Plan{}, false
	case !theirs.Known():
		return wait(VersionUndecided, fmt.Sprintf("cluster %s has not agreed on a version yet", j.c.ID), ""), true
	}
	return refuse(VersionSkew, fmt.Sprintf("this host's etcd is %s and cluster %s is %s: only the same minor or the next one joins safely", mine, j.c.ID, theirs),
		fmt.Sprintf("install etcd %s or %s on this host, or upgrade the cluster first", theirs, theirs.next())), true
}

// fitsEveryServer tells whether this etcd may join the servers that run: a
// young cluster says 3.0 until all its founders are up.
func (j joining) fitsEveryServer(mine Version) bool {
	known := false
	for _, m := range j.c.Members {
		if !m.Started() {
			continue
		}
		if !m.Version.Known() || !mine.mayJoin(m.Version) {
			return false
		}
		known = true
	}
	return known
}
