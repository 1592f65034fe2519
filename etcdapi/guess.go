package etcdapi

import (
	"fmt"
	"slices"

	"github.com/sttts/elastic-etcd/joiner"
)

// A client port that was guessed may be that of another etcd on the same host.
// Whatever it says must not lead into that one's cluster.

// guessed tells whether nobody but us says that a contact is a client port. Who
// wants to see all there is asks this very host, as etcdctl does.
func (l *look) guessed(c contact) bool {
	return len(l.guesses[c]) > 0 && !l.told[c] && !(l.api.thorough && l.guessedOwn(c))
}

// vouched tells whether an answer may count: that of a guess has a member at the
// peer port that it was guessed for, or is of a cluster that is known otherwise.
func (l *look) vouched(ans answer) bool {
	return !ans.complete() || !l.guessed(ans.contact) || l.guessedRight(ans) || ans.cluster == l.data ||
		slices.ContainsFunc(l.answers, func(other answer) bool { return other.cluster == ans.cluster })
}

func (l *look) guessedRight(ans answer) bool {
	return slices.ContainsFunc(l.guesses[ans.contact], func(peer contact) bool { return slices.Contains(ans.learns(), peer) })
}

// byName tells whether the admin named who answers, or the peer port by which
// it was found.
func (l *look) byName(ans answer) bool {
	return l.named[ans.contact] || slices.ContainsFunc(l.guesses[ans.contact], func(peer contact) bool {
		return l.named[peer] && slices.Contains(ans.learns(), peer)
	})
}

// nameGuesses has the admin vouch for the client ports that are guessed.
func (l *look) nameGuesses(peers []contact) {
	for _, peer := range peers {
		l.named[l.api.guess(peer)] = true
	}
}

// namedAt counts the addresses that the admin named and at which a cluster
// answers: at a peer port itself, or at the client port that was guessed for it.
func (l *look) namedAt(cluster joiner.ID) int {
	n := 0
	for c := range l.named {
		if slices.ContainsFunc(l.answers, func(ans answer) bool {
			return ans.cluster == cluster && (ans.contact == c || slices.Contains(l.guesses[ans.contact], c))
		}) {
			n++
		}
	}
	return n
}

// known tells whether the admin vouches for an address: he named it, or the
// peer port that it was guessed for, or it is this host's own.
func (l *look) known(c contact) bool {
	return slices.ContainsFunc(slices.Concat(l.guesses[c], []contact{c}), func(c contact) bool { return l.named[c] || slices.Contains(l.api.own, c.url) })
}

// guessedFor is the peer URL that a client port was guessed for, "" = it is told.
func (l *look) guessedFor(c contact) string {
	if !l.guessed(c) {
		return ""
	}
	return l.guesses[c][0].url
}

// listing are the clusters that have a member at an address.
func (l *look) listing(c contact) []joiner.ID {
	var ids []joiner.ID
	for _, ans := range l.answers {
		if slices.Contains(ans.learns(), c) {
			ids = append(ids, ans.cluster)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// leadsTo tells whether a contact is one of a member, or guessed from one.
func (l *look) leadsTo(c contact, m joiner.Member) bool {
	known := contactsOf(m)
	return slices.Contains(known, c) || slices.ContainsFunc(l.guesses[c], func(peer contact) bool { return slices.Contains(known, peer) })
}

// wrongGuess tells whether somebody knows better than our guess of a client
// port.
func (l *look) wrongGuess(c contact) bool {
	return !l.told[c] && slices.ContainsFunc(l.answers, func(other answer) bool {
		return slices.ContainsFunc(other.list, func(m joiner.Member) bool {
			return m.Started() && l.leadsTo(c, m) && !slices.Contains(contactsOf(m), c)
		})
	})
}

// guessedOwn tells whether a contact was but guessed, of this very host.
func (l *look) guessedOwn(c contact) bool {
	return !l.told[c] && slices.ContainsFunc(l.guesses[c], func(peer contact) bool { return slices.Contains(l.api.own, peer.url) })
}

// strangers are failures that tell of answers that nobody vouched for.
func (l *look) strangers() []joiner.Failure {
	var list []joiner.Failure
	for _, ans := range l.strange {
		if l.wrongGuess(ans.contact) {
			continue
		}
		list = append(list, joiner.Failure{URL: ans.url, Error: fmt.Sprintf(
			"an etcd of cluster %s answers, which has no member at %s: it does not count (-client-port says which port to ask in place of %d)",
			ans.cluster, l.guesses[ans.contact][0].url, l.api.clientPort)})
	}
	return list
}
