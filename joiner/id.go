package joiner

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ID is the ID of a member or of a cluster. Its text form is etcd's: lower
// case hex without padding.
type ID uint64

// ParseID reads what String writes.
func ParseID(s string) (ID, error) {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("member or cluster ID %q is not a hex number of 64 bits", s)
	}
	return ID(n), nil
}

func (id ID) String() string { return strconv.FormatUint(uint64(id), 16) }

// MarshalText writes the hex form, since JSON numbers lose bits over 2^53.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the hex form.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// FounderID is the member ID etcd gives a founder: the first eight bytes of
// the SHA-1 of its sorted peer URLs and the cluster token
// (server/etcdserver/api/membership/member.go, computeMemberID).
func FounderID(peerURLs []string, token string) ID {
	sum := sha1.Sum([]byte(strings.Join(slices.Sorted(slices.Values(peerURLs)), "") + token))
	return ID(binary.BigEndian.Uint64(sum[:8]))
}

// FoundingID is the cluster ID that founders with these member IDs give
// their cluster (membership/cluster.go, genID).
func FoundingID(members []ID) ID {
	var b []byte
	for _, id := range slices.Sorted(slices.Values(members)) {
		b = binary.BigEndian.AppendUint64(b, uint64(id))
	}
	sum := sha1.Sum(b)
	return ID(binary.BigEndian.Uint64(sum[:8]))
}
