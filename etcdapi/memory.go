package etcdapi

import (
	"cmp"
	"slices"

	"github.com/sttts/elastic-etcd/joiner"
)

// maxClusters bounds the memory: anybody can claim to be one more cluster.
const maxClusters = 8

// remember keeps the addresses that belong to each cluster for the next Look
// and for changes. A list that a quorum vouches for replaces what was known,
// so that a removed member is forgotten.
func (a *API) remember(l *look) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.metAt(l)
	for id := range l.proofs {
		a.known[id] = nil
	}
	for _, ans := range l.answers {
		if ans.complete() && l.byName(ans) && (a.named[ans.cluster] || len(a.named) < maxClusters) {
			a.named[ans.cluster] = true
		}
		if _, known := a.known[ans.cluster]; !ans.complete() || !known && len(a.known) >= maxClusters {
			continue
		}
		list := append(a.known[ans.cluster], ans.contact)
		if proof, proven := l.proofs[ans.cluster]; proven {
			ans = proof
		}
		a.known[ans.cluster] = firstOf(append(list, ans.learns()...), maxLearned)
	}
}

// isNamed tells whether an address that the admin named has led to a cluster,
// now or before.
func (a *API) isNamed(cluster joiner.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.named[cluster]
}

func firstOf(list []contact, n int) []contact {
	slices.SortFunc(list, compareContacts)
	list = slices.Compact(list)
	return slices.Clip(list[:min(len(list), n)])
}

func compareContacts(a, b contact) int {
	return cmp.Or(cmp.Compare(a.port, b.port), cmp.Compare(a.url, b.url))
}

// remembered is everything known, in a fixed order.
func (a *API) remembered() []contact {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []contact
	for _, some := range a.known {
		list = append(list, some...)
	}
	return firstOf(list, maxContacts)
}

// clientsOf are the client ports that may speak for a cluster.
func (a *API) clientsOf(cluster joiner.ID) []contact {
	return slices.DeleteFunc(a.allClientsOf(cluster), a.isRemoved)
}

func (a *API) allClientsOf(cluster joiner.ID) []contact {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := slices.Clone(a.endpoints)
	for _, c := range a.known[cluster] {
		if c.port == clientPort {
			list = append(list, c)
		}
	}
	return firstOf(list, maxContacts)
}
