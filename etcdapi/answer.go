package etcdapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sttts/elastic-etcd/joiner"
)

// maxMembers is more than any cluster has.
const maxMembers = 100

// answer is what came of asking one contact.
type answer struct {
	contact
	// err says why there is no complete answer; member and cluster are zero
	// then.
	err     error
	cluster joiner.ID
	member  joiner.ID // who answers; a peer port does not tell
	notOf   joiner.ID // who surely does not, though the address says so
	list    []joiner.Member
	// proven is true when a quorum vouches for the list, doubt says why not
	// where that was tried.
	proven bool
	doubt  error
	api    string // "v2", "v3"; client ports only
	leader joiner.ID
	term   uint64
	own    joiner.Details         // of who answers
	alarms map[joiner.ID][]string // of all members
	versions
}

// versions are those of one server and of its cluster, as /version has them.
type versions struct {
	server, agreed joiner.Version
	// addsWhileDown is joiner.Member's AddsWhileDown.
	addsWhileDown bool
	full          string // of server
}

// complete tells whether the answer counts: it carries the ID of a cluster.
func (a answer) complete() bool { return a.cluster != 0 }

// learns tells whom else the answer names.
func (a answer) learns() []contact {
	var list []contact
	for _, m := range a.list {
		list = append(list, contactsOf(m)...)
	}
	return list
}

func contactsOf(m joiner.Member) []contact {
	return append(parseContacts(peerPort, m.PeerURLs), parseContacts(clientPort, m.ClientURLs)...)
}

// by tells whether m gave the answer. The peer port does not say whose it is:
// there the cluster's ID and the address have to do. A client port says it,
// and its address proves nothing: many members advertise localhost.
func (a answer) by(cluster joiner.ID, m joiner.Member) bool {
	if a.cluster != cluster {
		return false
	}
	if a.port == clientPort {
		return a.member == m.ID
	}
	return a.notOf != m.ID && slices.Contains(contactsOf(m), a.contact)
}

// parseVersions reads a body of /version. A cluster that has not agreed on a
// version says "not_decided"; the zero version then.
func parseVersions(body []byte) (versions, error) {
	var raw struct{ EtcdServer, EtcdCluster string }
	if err := json.Unmarshal(body, &raw); err != nil {
		return versions{}, fmt.Errorf("not an etcd: %w", err)
	}
	server, err := ParseVersion(raw.EtcdServer)
	if err != nil {
		return versions{}, fmt.Errorf("not an etcd: etcdserver: %w", err)
	}
	agreed, _ := ParseVersion(raw.EtcdCluster)
	return versions{server, agreed, addsWhileDown(raw.EtcdServer), inFull(raw.EtcdServer)}, nil
}

func sortMembers(list []joiner.Member) []joiner.Member {
	slices.SortFunc(list, func(a, b joiner.Member) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// checkMembers refuses what no etcd would say.
func checkMembers(list []joiner.Member) ([]joiner.Member, error) {
	if len(list) == 0 || len(list) > maxMembers {
		return nil, fmt.Errorf("a list of %d members", len(list))
	}
	sortMembers(list)
	for i, m := range list {
		if m.ID == 0 || i > 0 && m.ID == list[i-1].ID {
			return nil, fmt.Errorf("a list with member ID %s twice or zero", m.ID)
		}
	}
	return list, nil
}

// hidden tells whether TLS or a password stands between us and whoever is
// there.
func (a answer) hidden() bool { return bar(a.err) != "" }
