package etcdapi

import (
	"cmp"
	"strings"

	"github.com/coreos/go-semver/semver"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/sttts/elastic-etcd/joiner"
)

// detailsOf is what an etcd 3 tells of its own server. Before 3.4 some of it
// is zero.
func detailsOf(s *pb.StatusResponse) joiner.Details {
	return joiner.Details{
		DBSize: max(s.DbSize, 0), DBInUse: max(s.DbSizeInUse, 0),
		Committed: s.RaftIndex, Applied: s.RaftAppliedIndex,
	}
}

// details adds what this answer tells of its member to what is known from
// other answers of it: a peer port tells no more than the version.
func (a answer) details(known joiner.Details) joiner.Details {
	version := cmp.Or(a.full, known.Version)
	if a.own != (joiner.Details{}) {
		known = a.own
	}
	known.Version = version
	return known
}

// maxVersion is longer than any version of etcd.
const maxVersion = 32 // bytes

// inFull is a version for people: 3.6.16, or 3.7.0-rc.1. "" where it is none.
func inFull(s string) string {
	s = strings.TrimPrefix(strings.TrimSpace(s), "v")
	if _, err := semver.NewVersion(s); err != nil || len(s) > maxVersion {
		return ""
	}
	return s
}
