package etcdapi

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/sttts/elastic-etcd/joiner"
)

// Bounds of one Look. Discovery entries and member lists are written by
// whoever can, and must not make this host scan the world.
const (
	maxDepth    = 2   // from a given address to members and to their members
	maxLearned  = 64  // addresses taken from one answer
	maxContacts = 256 // addresses in all
)

// look is one Look under way. Addresses are asked as soon as an answer names
// them, so that one that never answers holds up nothing but the end.
type look struct {
	api    *API
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	results  chan answer
	verdicts chan evidence

	named   map[contact]bool    // by the admin
	guesses map[contact]contact // a guessed client port, for which peer port
	depths  map[contact]int     // of everything asked
	pending map[contact]bool
	answers []answer

	proofs   map[joiner.ID]answer // the first one for each cluster
	evidence map[joiner.ID]evidence
}

func newLook(ctx context.Context, a *API) *look {
	ctx, cancel := context.WithCancel(ctx)
	return &look{
		api: a, ctx: ctx, cancel: cancel,
		results:  make(chan answer, maxContacts),
		verdicts: make(chan evidence, maxContacts),
		named:    map[contact]bool{},
		guesses:  map[contact]contact{},
		depths:   map[contact]int{},
		pending:  map[contact]bool{},
		proofs:   map[joiner.ID]answer{},
		evidence: map[joiner.ID]evidence{},
	}
}

// seed asks what is known beforehand, what the admin said first.
func (l *look) seed(where Where) {
	l.askNamed(l.api.endpoints)
	for _, c := range l.api.remembered() {
		l.ask(c, 0)
	}
	l.askNamed(parseContacts(clientPort, where.Clients))
	peers := parseContacts(peerPort, where.Peers)
	l.askNamed(peers)
	l.askNamed(l.guess(peers))
	for _, c := range parseContacts(peerPort, where.Registered) {
		l.ask(c, 0)
		l.ask(l.guess([]contact{c})[0], 0)
	}
}

func (l *look) askNamed(list []contact) {
	for _, c := range list {
		l.named[c] = true
		l.ask(c, 0)
	}
}

// guess gives the client ports that may belong to peer ports.
func (l *look) guess(peers []contact) []contact {
	guesses := make([]contact, len(peers))
	for i, peer := range peers {
		guess := l.api.guess(peer)
		_, asked := l.depths[guess]
		if _, guessed := l.guesses[guess]; !asked && !guessed {
			l.guesses[guess] = peer
		}
		guesses[i] = guess
	}
	return guesses
}

// ask starts asking a contact, once.
func (l *look) ask(c contact, depth int) {
	if _, asked := l.depths[c]; asked || depth > maxDepth || len(l.depths) >= maxContacts {
		return
	}
	l.depths[c] = depth
	l.pending[c] = true
	l.tasks.Go(func() { l.results <- l.api.ask(l.ctx, c) })
}

// ask gives one contact its time.
func (a *API) ask(ctx context.Context, c contact) answer {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if c.port == peerPort {
		return a.askPeer(ctx, c)
	}
	return a.askClient(ctx, c)
}

func (a *API) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, a.probeTimeout, fmt.Errorf("no complete answer within %s", a.probeTimeout))
}

// run collects answers until the rest does not matter.
func (l *look) run() {
	for !l.done() {
		select {
		case ans := <-l.results:
			l.take(ans)
		case e := <-l.verdicts:
			l.evidence[e.cluster] = e
		}
	}
	l.cancel()
	l.tasks.Wait()
	// In the order of addresses, not of arrival.
	slices.SortFunc(l.answers, func(a, b answer) int { return compareContacts(a.contact, b.contact) })
}

func (l *look) take(ans answer) {
	delete(l.pending, ans.contact)
	l.answers = append(l.answers, ans)
	learned := ans.learns()
	for _, c := range learned[:min(len(learned), maxLearned)] {
		l.ask(c, l.depths[ans.contact]+1)
	}
	if _, known := l.proofs[ans.cluster]; ans.proven && !known {
		l.proofs[ans.cluster] = ans
		others := l.clients()
		l.tasks.Go(func() { l.verdicts <- l.api.gather(l.ctx, ans, others) })
	}
}

// clients are the client ports asked so far, and not by a guess.
func (l *look) clients() []string {
	var urls []string
	for c := range l.depths {
		if _, guessed := l.guesses[c]; c.port == clientPort && !guessed {
			urls = append(urls, c.url)
		}
	}
	slices.Sort(urls)
	return urls
}

// done tells whether nothing that is still to come can matter.
func (l *look) done() bool {
	if len(l.evidence) < len(l.proofs) {
		return false
	}
	for c := range l.pending {
		if l.api.thorough || !l.needless(c) {
			return false
		}
	}
	return true
}

// needless tells whether a contact is only one more address of a member that
// has already answered, in a cluster of which all else is known.
func (l *look) needless(c contact) bool {
	if peer, guessed := l.guesses[c]; guessed {
		c = peer
	}
	for id, proof := range l.proofs {
		if !l.agreed(proof).Known() {
			continue
		}
		for _, m := range proof.list {
			if slices.Contains(contactsOf(m), c) && l.reached(id, m) != nil {
				return l.evidence[id].err == nil || l.proven(id, m)
			}
		}
	}
	return false
}

// proven tells whether a member spoke with a quorum behind it.
func (l *look) proven(cluster joiner.ID, m joiner.Member) bool {
	return l.evidence[cluster].proven[m.ID] ||
		slices.ContainsFunc(l.answers, func(ans answer) bool { return ans.proven && ans.by(cluster, m) })
}

// reached gives an answer of a member, nil where there is none.
func (l *look) reached(cluster joiner.ID, m joiner.Member) *answer {
	i := slices.IndexFunc(l.answers, func(ans answer) bool { return ans.by(cluster, m) })
	if i < 0 {
		return nil
	}
	return &l.answers[i]
}
