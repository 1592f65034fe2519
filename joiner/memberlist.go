package joiner

import (
	"cmp"
	"regexp"
	"slices"
)

// plainName is a name that needs no quoting anywhere.
var plainName = regexp.MustCompile(`^[A-Za-z0-9._:@-]+$`)

// memberList is the initial cluster of a host that joins: every member, dead,
// unstarted and learners included, or etcd says "member count is unequal".
// etcd ignores the names of the others but merges equal ones, so each gets a
// name that is its own.
func memberList(name string, self ID, members []Member) []Peer {
	taken := map[string]bool{name: true}
	list := make([]Peer, 0, len(members))
	for _, m := range slices.SortedFunc(slices.Values(members), func(a, b Member) int { return cmp.Compare(a.ID, b.ID) }) {
		p := Peer{Name: name, URLs: slices.Sorted(slices.Values(m.PeerURLs))}
		if m.ID != self {
			p.Name = listName(m, taken)
			taken[p.Name] = true
		}
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b Peer) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func listName(m Member, taken map[string]bool) string {
	if plainName.MatchString(m.Name) && !taken[m.Name] {
		return m.Name
	}
	byID := "member-" + m.ID.String()
	for taken[byID] {
		byID += "-"
	}
	return byID
}
