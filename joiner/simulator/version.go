package simulator

import (
	"cmp"
	"fmt"

	"github.com/sttts/elastic-etcd/joiner"
)

// Version is that of an etcd server, to the patch: the rules changed within
// minors.
type Version struct{ Major, Minor, Patch int }

// ParseVersion reads 3.5.30, and 3.5 as 3.5.0.
func ParseVersion(s string) (v Version, err error) {
	n, _ := fmt.Sscanf(s, "%d.%d.%d", &v.Major, &v.Minor, &v.Patch)
	if n < 2 {
		return Version{}, fmt.Errorf("version %q is not X.Y or X.Y.Z", s)
	}
	return v, nil
}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

func (v Version) compare(o Version) int {
	return cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor), cmp.Compare(v.Patch, o.Patch))
}

func (v Version) atLeast(major, minor, patch int) bool {
	return v.compare(Version{major, minor, patch}) >= 0
}

func (v Version) minor() joiner.Version {
	return joiner.Version{Major: int64(v.Major), Minor: int64(v.Minor)}
}

// Strict is etcd's default of --strict-reconfig-check: 2.3 and 3.0 have it
// off (etcdmain/config.go of each).
func (v Version) Strict() bool { return v.atLeast(3, 1, 0) }

// learners tells whether it knows learners: older ones add a voter instead.
func (v Version) learners() bool { return v.atLeast(3, 4, 0) }

// countsLinks tells whether strict asks who is connected: 2.3 and 3.0 count
// names only (etcdserver/server.go, AddMember).
func (v Version) countsLinks() bool { return v.atLeast(3, 1, 0) }

// addsWhileDown tells whether an add needs a quorum of the voters to come to
// be connected, and not all voters: server.go, mayAddMember, since the commits
// e989219f2 and 701b837c3.
func (v Version) addsWhileDown() bool {
	switch {
	case v.Major != 3:
		return v.Major > 3
	case v.Minor == 5:
		return v.Patch >= 30
	case v.Minor == 6:
		return v.Patch >= 11
	}
	return v.Minor > 6
}

// stepsDown tells whether a leader without a quorum stops being one (raft's
// CheckQuorum). That of 2.3 leads on for ever.
func (v Version) stepsDown() bool { return v.Major >= 3 }

// noticesHangs tells whether the 5 s read timeout of a peer's stream works:
// since 3.5.0 it is dead code (client/pkg/transport/timeout_transport.go).
func (v Version) noticesHangs() bool { return !v.atLeast(3, 5, 0) }

// joinHangs tells whether a joining etcd waits without end for a listed member
// that hangs: before 3.6.0 it asks for its version without a timeout
// (etcdserver/cluster_util.go, getVersion).
func (v Version) joinHangs() bool { return !v.atLeast(3, 6, 0) }

// tellsRemoved tells whether a client can tell a removed ID from an unknown
// one: the v3 API says "member not found" to both (v3rpc/util.go).
func (v Version) tellsRemoved() bool { return v.Major < 3 }
