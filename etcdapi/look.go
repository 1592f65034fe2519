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

	data    joiner.ID             // the cluster of this host's data
	named   map[contact]bool      // by the admin
	guesses map[contact][]contact // a guessed client port, for which peer ports
	told    map[contact]bool      // somebody said that it is one, so it is no guess
	depths  map[contact]int       // of everything asked
	pending map[contact]bool
	answers []answer
	strange []answer // of guesses that nobody vouches for yet

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
		guesses:  map[contact][]contact{},
		told:     map[contact]bool{},
		depths:   map[contact]int{},
		pending:  map[contact]bool{},
		proofs:   map[joiner.ID]answer{},
		evidence: map[joiner.ID]evidence{},
	}
}

// seed asks what is known beforehand, what the admin said first.
func (l *look) seed(where Where) {
	l.data = where.Data
	l.askNamed(l.api.endpoints)
	for _, c := range l.api.remembered() {
		l.ask(c, 0)
	}
	l.askNamed(parseContacts(clientPort, where.Clients))
	peers := parseContacts(peerPort, where.Peers)
	l.askNamed(peers)
	l.guess(peers)
	own := parseContacts(peerPort, l.api.own)
	if l.api.thorough && len(l.named)+len(where.Registered) == 0 {
		l.askNamed(own) // nothing else is said to be meant
		l.nameGuesses(own)
	}
	for _, c := range append(own, parseContacts(peerPort, where.Registered)...) {
		l.ask(c, 0)
		l.guess([]contact{c})
	}
}

func (l *look) askNamed(list []contact) {
	for _, c := range list {
		l.named[c], l.told[c] = true, true
		l.ask(c, 0)
	}
}

// guess asks the client ports that may belong to peer ports.
func (l *look) guess(peers []contact) {
	for _, peer := range peers {
		guess := l.api.guess(peer)
		l.guesses[guess] = append(l.guesses[guess], peer)
		l.ask(guess, 0)
	}
}

// ask starts asking a contact, once.
func (l *look) ask(c contact, depth int) {
	if _, asked := l.depths[c]; asked || depth > maxDepth || len(l.depths) >= maxContacts || l.api.isRemoved(c) {
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
	l.identify()
	l.cancel()
	l.tasks.Wait()
	// In the order of addresses, not of arrival.
	slices.SortFunc(l.answers, func(a, b answer) int { return compareContacts(a.contact, b.contact) })
}

// take counts an answer, and those that it vouches for.
func (l *look) take(ans answer) {
	delete(l.pending, ans.contact)
	if !l.vouched(ans) {
		l.strange = append(l.strange, ans)
		return
	}
	l.count(ans)
	for i, other := range l.strange {
		if l.vouched(other) {
			l.strange = slices.Delete(l.strange, i, i+1)
			l.take(other)
			return
		}
	}
}

// count lets an answer be one of those that matter.
func (l *look) count(ans answer) {
	l.answers = append(l.answers, ans)
	learned := ans.learns()
	for _, c := range learned[:min(len(learned), maxLearned)] {
		l.told[c] = true
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
		if c.port == clientPort && !l.guessed(c) {
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
// has already answered, in a cluster of which all else is known. A peer port may be
// another member's where the log does not follow.
func (l *look) needless(c contact) bool {
	for id, proof := range l.proofs {
		if !l.agreed(proof).Known() {
			continue
		}
		for _, m := range proof.list {
			if l.leadsTo(c, m) && l.reached(id, m) != nil {
				e := l.evidence[id]
				return e.err == nil && (e.following(m.ID) || l.saysSo(id, m)) || l.proven(id, m)
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
