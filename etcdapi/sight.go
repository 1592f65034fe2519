package etcdapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/smallfile"
)

// Sight is what one Look saw, in the words of joiner.Observation.
type Sight struct {
	Clusters []joiner.Cluster
	Views    []joiner.View
	Failures []joiner.Failure
	// Contacts counts the addresses that were asked, Named those that the admin
	// named.
	Contacts, Named int
}

// Where is where members may be, besides the endpoints of the Config.
type Where struct {
	// Registered are peer URLs that nobody vouches for: registrations outlive
	// the hosts they are of.
	Registered []string
	// Peers and Clients are URLs that the admin names, or a source of his.
	Peers, Clients []string
	// Data is the cluster of this host's data dir, 0 = none.
	Data joiner.ID
}

// Look asks everybody it knows of, all at the same time: the endpoints of the
// Config, these URLs and the client ports that may belong to the peer URLs, the
// members that any answer names, and those that earlier Looks found. URLs that
// no member can have are skipped.
//
// It takes about one ProbeTimeout when somebody does not answer, and
// milliseconds when all do. It changes nothing but one empty entry in the
// log of each cluster, and tells from it whose log follows.
func (a *API) Look(ctx context.Context, where Where) Sight {
	l := newLook(ctx, a)
	l.seed(where)
	l.run()
	a.remember(l)
	s := Sight{Clusters: l.clusters(), Views: l.views(), Contacts: len(l.depths), Named: len(l.named)}
	s.Failures = l.failures(s.Clusters)
	a.note(s.Clusters)
	return s
}

// note fills in the evidence over time.
func (a *API) note(clusters []joiner.Cluster) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range clusters {
		c := &clusters[i]
		if a.ledgers[c.ID] == nil {
			a.ledgers[c.ID] = &joiner.Ledger{}
		}
		a.ledgers[c.ID].Note(time.Now(), c)
	}
}

func (l *look) clusters() []joiner.Cluster {
	var list []joiner.Cluster
	for id := range l.proofs {
		list = append(list, l.cluster(l.best(id)))
	}
	slices.SortFunc(list, func(a, b joiner.Cluster) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// best picks one of several proven lists: of the newest term, the leader's
// own, the lowest URL.
func (l *look) best(cluster joiner.ID) answer {
	best := l.proofs[cluster]
	for _, ans := range l.answers {
		if ans.proven && ans.cluster == cluster && ans.rank(best) < 0 {
			best = ans
		}
	}
	return best
}

func (a answer) rank(b answer) int {
	return cmp.Or(
		cmp.Compare(b.term, a.term),
		cmp.Compare(b.leading(), a.leading()),
		cmp.Compare(a.url, b.url))
}

func (a answer) leading() int {
	if a.member == a.leader {
		return 1
	}
	return 0
}

func (l *look) cluster(best answer) joiner.Cluster {
	c := joiner.Cluster{
		ID: best.cluster, From: best.url, API: best.api,
		Leader: best.leader, Term: best.term, Version: l.agreed(best),
		Members: slices.Clone(best.list), Named: l.api.isNamed(best.cluster), NamedAt: l.namedAt(best.cluster),
	}
	e := l.evidence[c.ID]
	c.Intent, c.Begun, c.NoIntent = e.intent, e.begun, e.noIntent
	c.Barred, c.Downgrading = e.barred, e.downgrading
	if e.err != nil {
		c.NoProof = e.err.Error()
	} else {
		c.Leader, c.Term = e.leader, e.term
	}
	for i := range c.Members {
		l.examine(c.ID, &c.Members[i], e)
		c.Members[i].Alarms = best.alarms[c.Members[i].ID]
	}
	c.Alarms = best.othersAlarms()
	return c
}

// othersAlarms are those that are raised for nobody on the list.
func (a answer) othersAlarms() []string {
	var kinds []string
	for id, raised := range a.alarms {
		if _, listed := memberOf(a.list, id); !listed {
			kinds = append(kinds, raised...)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// agreed is the version of the cluster: a client port that speaks gRPC only
// does not tell.
func (l *look) agreed(best answer) joiner.Version {
	if best.agreed.Known() {
		return best.agreed
	}
	for _, ans := range l.answers {
		if ans.cluster == best.cluster && ans.agreed.Known() {
			return ans.agreed
		}
	}
	return joiner.Version{}
}

// examine fills in what was seen of one member.
func (l *look) examine(cluster joiner.ID, m *joiner.Member, e evidence) {
	if e.err == nil {
		m.Health.Match, m.Health.Following, m.Health.Receiving = e.match[m.ID], e.following(m.ID), e.receiving[m.ID]
	}
	l.meet(cluster, m)
}

// meet fills in what this host saw of a member by itself.
func (l *look) meet(cluster joiner.ID, m *joiner.Member) {
	if ans := l.reached(cluster, *m); ans != nil {
		m.Health.Reached, m.Health.Proven = ans.url, l.proven(cluster, *m)
	} else {
		m.Health.Unclear = l.unclear(*m)
		m.Health.Refused, m.Health.Other = l.gone(cluster, *m)
	}
	for _, ans := range l.answers {
		if ans.by(cluster, *m) && ans.server.Known() {
			m.Version, m.AddsWhileDown = ans.server, ans.addsWhileDown
			m.Details = ans.details(m.Details)
		}
	}
}

// gone tells whether every address of a member that can be asked refuses
// connections, or does but for those where another member answers: other is one.
func (l *look) gone(cluster joiner.ID, m joiner.Member) (refused bool, other string) {
	asked := 0
	for _, ans := range l.answers {
		switch {
		case !slices.Contains(contactsOf(m), ans.contact):
			continue
		case ans.cluster == cluster:
			other = ans.url
		case !errors.Is(ans.err, syscall.ECONNREFUSED):
			return false, ""
		}
		asked++
	}
	return asked > 0 && other == "", other
}

// unclear says what TLS failure hides a member.
func (l *look) unclear(m joiner.Member) string {
	for _, ans := range l.answers {
		if ans.hidden() && slices.Contains(contactsOf(m), ans.contact) {
			return ans.err.Error()
		}
	}
	return ""
}

func (l *look) views() []joiner.View {
	var list []joiner.View
	for _, ans := range l.answers {
		if ans.complete() && !ans.proven && len(ans.list) > 0 {
			list = append(list, joiner.View{From: ans.url, ClusterID: ans.cluster, Named: l.api.isNamed(ans.cluster), Members: l.met(ans)})
		}
	}
	slices.SortStableFunc(list, func(a, b joiner.View) int { return cmp.Compare(a.From, b.From) })
	return list
}

// met are the members of one answer, with what this host saw of each.
func (l *look) met(ans answer) []joiner.Member {
	members := slices.Clone(ans.list)
	for i := range members {
		l.meet(ans.cluster, &members[i])
	}
	return members
}

func (l *look) failures(clusters []joiner.Cluster) []joiner.Failure {
	list := l.strangers()
	for _, ans := range l.answers {
		if err := l.failure(ans, clusters); err != nil {
			f := joiner.Failure{URL: ans.url, Error: err.Error(), Bar: l.bar(ans, err), Of: l.listing(ans.contact), For: l.guessedFor(ans.contact)}
			f.Dated = f.Bar == joiner.TLSFailed && smallfile.OutOfDate(err)
			f.Rotates = f.Bar == joiner.AuthFailed && l.api.rotates(err)
			f.Named = l.known(ans.contact) || slices.ContainsFunc(f.Of, l.api.isNamed)
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b joiner.Failure) int { return cmp.Compare(a.URL, b.URL) })
	return list
}

// bar is what stands between us and a server that lives. What runs at the port
// that we guessed of this very host is nobody's business.
func (l *look) bar(ans answer, err error) joiner.Reason {
	if l.guessedOwn(ans.contact) {
		return ""
	}
	return bar(err)
}

func (l *look) failure(ans answer, clusters []joiner.Cluster) error {
	switch {
	case ans.err != nil && l.wrongGuess(ans.contact):
		return nil
	case ans.err != nil:
		return ans.err
	case ans.doubt != nil:
		return fmt.Errorf("member %s answers, but %w", ans.member, ans.doubt)
	case ans.notOf != 0:
		return fmt.Errorf("another member of cluster %s answers at this address of member %s", ans.cluster, ans.notOf)
	}
	for _, c := range clusters {
		if ans.cluster != c.ID && slices.ContainsFunc(c.Members, func(m joiner.Member) bool { return slices.Contains(contactsOf(m), ans.contact) }) {
			return fmt.Errorf("the address of a member of cluster %s answers for cluster %s", c.ID, ans.cluster)
		}
	}
	return nil
}
