package joiner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Strategy says what may be done to a live cluster so that this host joins.
type Strategy string

// The strategies.
const (
	Prepare Strategy = "prepare" // nothing: the admin prepares the entry
	Add     Strategy = "add"     // add while there is room, never remove
	Replace Strategy = "replace" // as Add; when full, remove one dead member
	Prune   Strategy = "prune"   // remove every dead member, then add
)

// Strategies are all of them, in the order of their boldness.
func Strategies() []Strategy { return []Strategy{Prepare, Add, Replace, Prune} }

// ParseStrategy reads a strategy. "prepared" and "dumb" are names that the
// tool of 2016 had for "prepare".
func ParseStrategy(s string) (Strategy, error) {
	if s == "prepared" || s == "dumb" {
		return Prepare, nil
	}
	if slices.Contains(Strategies(), Strategy(s)) {
		return Strategy(s), nil
	}
	names := make([]string, 0, 4)
	for _, known := range Strategies() {
		names = append(names, string(known))
	}
	return "", fmt.Errorf("join strategy %q is not one of %s", s, strings.Join(names, ", "))
}

// SizeOfDiscovery as a cluster size means: what the discovery service says.
const SizeOfDiscovery = -1

// Policy is what the admin asked for.
type Policy struct {
	Name     string   `json:"name"`
	PeerURLs []string `json:"peer_urls"` // sorted, by PeerURLs
	// Announces tells whether the admin or the unit gave the peer URLs, and
	// they are not etcd's default.
	Announces bool `json:"announces,omitempty"`
	// Own are the peer URLs under which the cluster lists this host's member,
	// where that is known: whoever runs leave or promote may give none, and
	// etcd's default is that of many hosts. nil = PeerURLs. OwnName is the name
	// there, "" = Name.
	Own     []string `json:"own,omitempty"`
	OwnName string   `json:"own_name,omitempty"`
	DataDir string   `json:"data_dir"`
	WALDir  string   `json:"wal_dir,omitempty"`

	Strategy Strategy `json:"strategy"`
	// Size is how many voters the cluster may have: 0 = no limit,
	// SizeOfDiscovery = the discovery's size, and where that is not known
	// the voters it has now.
	Size int `json:"size"`
	// DeadAfter is how long a member must have been silent and stalled
	// before it is dead.
	DeadAfter Duration `json:"dead_after"`
	// KeepStale refuses, instead of archiving, the data of a member that
	// was removed.
	KeepStale bool `json:"keep_stale,omitempty"`
	// AnyVersion joins without knowing that the versions fit.
	AnyVersion bool `json:"any_version,omitempty"`
	// Learner says whether this host joins as a learner; "" = LearnerAuto.
	Learner LearnerMode `json:"learner,omitempty"`
	// Promotes tells whether somebody runs the promotion once etcd is up.
	Promotes bool `json:"promotes,omitempty"`
	// Standby waits for a place in a full cluster.
	Standby bool `json:"standby,omitempty"`
	// Endpoints tells whether the admin named client URLs to ask.
	Endpoints bool `json:"endpoints,omitempty"`
}

// identity are the peer URLs that tell whose an intent is.
func (p Policy) identity() []string {
	if p.Own != nil {
		return p.Own
	}
	return p.PeerURLs
}

// signature is the name under which this host writes an intent.
func (p Policy) signature() string { return cmp.Or(p.OwnName, p.Name) }

// as is the policy of the host that a member is of.
func (p Policy) as(m Member) Policy {
	p.Own, p.OwnName = m.PeerURLs, m.Name
	return p
}

// removes tells whether the policy ever removes a member.
func (p Policy) removes() bool { return p.Strategy == Replace || p.Strategy == Prune }

// LearnerMode says when a host joins as a learner.
type LearnerMode string

// The modes.
const (
	LearnerAuto   LearnerMode = "auto"   // where a promotion follows, and always as the second member
	LearnerAlways LearnerMode = "always" // or not at all
	LearnerNever  LearnerMode = "never"
)

// ParseLearnerMode reads a mode.
func ParseLearnerMode(s string) (LearnerMode, error) {
	switch m := LearnerMode(s); m {
	case LearnerAuto, LearnerAlways, LearnerNever:
		return m, nil
	}
	return "", fmt.Errorf("%q is not one of auto, always, never", s)
}
