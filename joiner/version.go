package joiner

import "fmt"

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

func (v Version) atLeast(other Version) bool {
	return v.Major > other.Major || v.Major == other.Major && v.Minor >= other.Minor
}

func (v Version) next() Version {
	if v == (Version{2, 3}) {
		return Version{3, 0}
	}
	return Version{v.Major, v.Minor + 1}
}
