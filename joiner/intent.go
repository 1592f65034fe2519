package joiner

import "slices"

// Intent says, in the cluster itself, who is changing its membership. It is
// one key under a lease, so whoever died lets go of it in the end. The lease
// outlives a run: between the add of a member and the start of its etcd
// nobody else may change the membership, or etcd refuses the list of members
// that it was given.
type Intent struct {
	Name     string   `json:"name"`
	PeerURLs []string `json:"peer_urls"` // sorted; they tell whose it is
	// Purpose is what is done, for people.
	Purpose Purpose `json:"purpose"`
	// Replaces is the dead member that goes once the newcomer has caught up,
	// zero where nobody is left to remove.
	Replaces ID `json:"replaces,omitempty"`

	// Lease and Revision identify it in the cluster; neither is written.
	// Revision is the key's modification index.
	Lease    int64 `json:"lease,omitempty"`
	Revision int64 `json:"revision,omitempty"`
	// Left is the time left of the lease.
	Left Duration `json:"left,omitempty"`
}

// Purpose is what an intent is for.
type Purpose string

// The purposes.
const (
	ToJoin    Purpose = "join"
	ToPromote Purpose = "promote"
	ToLeave   Purpose = "leave"
	ToRepair  Purpose = "repair" // removes dead members, or gives a member its new URLs
)

// IntentTime is how long an intent lasts unless it is renewed: long enough
// for etcd to start after this tool has ended.
const IntentTime = 120 // seconds

// of tells whether the intent is that of the host with these peer URLs.
func (i *Intent) of(peerURLs []string) bool {
	return i != nil && slices.Equal(i.PeerURLs, peerURLs)
}
