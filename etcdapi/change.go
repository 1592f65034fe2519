package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sttts/elastic-etcd/joiner"
)

// changer is a server that takes changes of the membership.
type changer interface {
	keeper
	add(ctx context.Context, peerURLs []string, learner bool) error
	remove(ctx context.Context, id joiner.ID) error
	update(ctx context.Context, id joiner.ID, peerURLs []string) error
	promote(ctx context.Context, id joiner.ID) error
	moveLeader(ctx context.Context, to joiner.ID) error
}

// Under says under which conditions a change may be made.
type Under struct {
	// Seen are the members on which the decision rests: the quorum was
	// counted with them. nil = any.
	Seen []joiner.ID
	// Intent must still be ours; it is renewed first. nil where intents are
	// impossible: then a fresh list and etcd's own checks have to do.
	Intent *joiner.Intent
}

// change is one change of the membership.
type change struct {
	what    string
	cluster joiner.ID
	avoid   joiner.ID // a member that had better not carry it out
	under   Under
	// open tells from a fresh list whether there is still something to do,
	// or why it must not be done.
	open func([]joiner.Member) (bool, error)
	do   func(context.Context, changer) error
}

// Add adds a member with these peer URLs, a voter or a learner. That there is
// one with exactly these URLs already, started or not, is no error: the caller
// looks again anyway. It takes a ProbeTimeout and 15 s (windowOfChange) at most,
// far less than an intent lasts, so a change does not outlive the intent that it
// was made under. Trying again is up to the caller.
func (a *API) Add(ctx context.Context, cluster joiner.ID, peerURLs []string, learner bool, under Under) error {
	return a.carryOut(ctx, change{
		under:   under,
		what:    fmt.Sprintf("add member %q to cluster %s", peerURLs, cluster),
		cluster: cluster,
		open: func(list []joiner.Member) (bool, error) {
			there := slices.ContainsFunc(list, func(m joiner.Member) bool { return sameURLs(m.PeerURLs, peerURLs) })
			return !there, nil
		},
		do: func(ctx context.Context, c changer) error { return c.add(ctx, peerURLs, learner) },
	})
}

// Remove removes m if it is still there as it was seen: with the same ID and
// the same peer URLs, and not started meanwhile. Else it is an error. That it
// is gone is none.
func (a *API) Remove(ctx context.Context, cluster joiner.ID, m joiner.Member, under Under) error {
	return a.carryOut(ctx, change{
		under:   under,
		what:    fmt.Sprintf("remove member %s from cluster %s", m.ID, cluster),
		cluster: cluster,
		avoid:   m.ID,
		open: func(list []joiner.Member) (bool, error) {
			now, there := memberOf(list, m.ID)
			switch {
			case there && !sameURLs(now.PeerURLs, m.PeerURLs):
				return true, fmt.Errorf("its peer URLs are %q now, not %q", now.PeerURLs, m.PeerURLs)
			case there && now.Started() && !m.Started():
				return true, errors.New("it has started meanwhile")
			}
			return there, nil
		},
		do: func(ctx context.Context, c changer) error {
			a.parted(m)
			return c.remove(ctx, m.ID)
		},
	})
}

// Update gives m these peer URLs if it is still there with the URLs it was
// seen with. That it has the new ones already is no error.
func (a *API) Update(ctx context.Context, cluster joiner.ID, m joiner.Member, peerURLs []string, under Under) error {
	return a.carryOut(ctx, change{
		under:   under,
		what:    fmt.Sprintf("update member %s of cluster %s to %q", m.ID, cluster, peerURLs),
		cluster: cluster,
		open: func(list []joiner.Member) (bool, error) {
			now, there := memberOf(list, m.ID)
			switch {
			case !there:
				return true, errors.New("it is not a member any more")
			case sameURLs(now.PeerURLs, peerURLs):
				return false, nil
			case !sameURLs(now.PeerURLs, m.PeerURLs):
				return true, fmt.Errorf("its peer URLs are %q now, not %q", now.PeerURLs, m.PeerURLs)
			}
			return true, nil
		},
		do: func(ctx context.Context, c changer) error { return c.update(ctx, m.ID, peerURLs) },
	})
}

// Promote makes the learner m a voter. That it is one already is no error.
func (a *API) Promote(ctx context.Context, cluster joiner.ID, m joiner.Member, under Under) error {
	return a.carryOut(ctx, change{
		under:   under,
		what:    fmt.Sprintf("promote member %s of cluster %s", m.ID, cluster),
		cluster: cluster,
		avoid:   m.ID,
		open: func(list []joiner.Member) (bool, error) {
			now, there := memberOf(list, m.ID)
			if !there {
				return true, errors.New("it is not a member any more")
			}
			return now.Learner, nil
		},
		do: func(ctx context.Context, c changer) error { return c.promote(ctx, m.ID) },
	})
}

// MoveLeader has the leader of a cluster pass the leadership on to m. Only the
// leader itself takes that; where another one leads already, nothing is done.
func (a *API) MoveLeader(ctx context.Context, cluster joiner.ID, m joiner.Member) error {
	for ans := range askAll(ctx, a.clientsOf(cluster), a.ask) {
		if ans.speaksFor(cluster) != nil || ans.member != ans.leader {
			continue
		}
		if ans.leader == m.ID {
			return nil
		}
		return a.call(ctx, change{do: func(ctx context.Context, c changer) error { return c.moveLeader(ctx, m.ID) }}, ans)
	}
	return fmt.Errorf("move the leadership of cluster %s to member %s: no leader answers", cluster, m.ID)
}

// carryOut does a change that is still open. A failed call may have done its
// work: etcd says "server stopped" when it loses a leader over it. So the
// list decides.
func (a *API) carryOut(ctx context.Context, c change) error {
	at, err := a.stillOpen(ctx, c)
	if err == nil && at != nil {
		err = a.changeAlone(ctx, c, *at)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.what, err)
	}
	return nil
}

// changeAlone makes the change under our intent, on the word of a list that
// was read under it.
//
// All of it takes windowOfChange at most, also by the wall clock: a machine that
// was suspended in between, and does not know it by any timer, has lost its turn.
func (a *API) changeAlone(ctx context.Context, c change, at answer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, windowOfChange, fmt.Errorf("it took longer than %s", windowOfChange))
	defer cancel()
	start := a.wall()
	if c.under.Intent != nil {
		if err := a.keep(ctx, at, func(ctx context.Context, k keeper) error { return k.renew(ctx, *c.under.Intent) }); err != nil {
			return err
		}
	}
	now, err := a.stillOpen(ctx, c)
	if err != nil || now == nil {
		return err
	}
	if age := a.wall().Sub(start); age < 0 || age > windowOfChange {
		return fmt.Errorf("the clock went %s since the intent was renewed: too long to rely on it", age)
	}
	if err := a.call(ctx, c, *now); err != nil {
		if then, again := a.stillOpen(ctx, c); then == nil && again == nil {
			return nil
		}
		return fmt.Errorf("at %s: %w", now.url, err)
	}
	return nil
}

// stillOpen gives the server to carry out the change, nil where it is done.
func (a *API) stillOpen(ctx context.Context, c change) (*answer, error) {
	at, err := a.spokesman(ctx, c.cluster, c.avoid)
	if err != nil {
		return nil, err
	}
	open, err := c.open(at.list)
	if err != nil || !open {
		return nil, err
	}
	if c.under.Seen != nil && !slices.Equal(idsOf(at.list), slices.Sorted(slices.Values(c.under.Seen))) {
		return nil, errors.New("the members are others than those that the decision rests on")
	}
	return &at, nil
}

func idsOf(list []joiner.Member) []joiner.ID {
	ids := make([]joiner.ID, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	slices.Sort(ids)
	return ids
}

func (a *API) call(ctx context.Context, c change, at answer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, changeTimeout, fmt.Errorf("no answer within %s", changeTimeout))
	defer cancel()
	server, err := a.changer(at)
	if err != nil {
		return err
	}
	return c.do(ctx, server)
}

func (a *API) changer(at answer) (changer, error) {
	if at.api == "v2" {
		return a.v2Client(at.url)
	}
	return a.conns.get(at.url)
}

// spokesman finds a server of the cluster that has a fresh member list with a
// quorum behind it: the first that answers. The member to avoid is asked only
// where nobody else is left.
func (a *API) spokesman(ctx context.Context, cluster, avoid joiner.ID) (answer, error) {
	others, avoided := a.apart(a.clientsOf(cluster), avoid)
	ans, err := a.firstToSpeak(ctx, cluster, avoid, others)
	if err == nil || len(avoided) == 0 {
		return ans, err
	}
	if ans, e := a.firstToSpeak(ctx, cluster, avoid, avoided); e == nil {
		return ans, nil
	}
	return answer{}, err
}

// apart splits client ports into those where a member was met, and the others.
func (a *API) apart(list []contact, of joiner.ID) (others, its []contact) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range list {
		if a.met[c] == of && of != 0 {
			its = append(its, c)
		} else {
			others = append(others, c)
		}
	}
	return others, its
}

func (a *API) firstToSpeak(ctx context.Context, cluster, avoid joiner.ID, clients []contact) (answer, error) {
	var fallback *answer
	var errs []error
	for ans := range askAll(ctx, clients, a.ask) {
		switch err := ans.speaksFor(cluster); {
		case err != nil:
			errs = append(errs, err)
		case ans.member == avoid:
			fallback = &ans
		default:
			return ans, nil
		}
	}
	if fallback != nil {
		return *fallback, nil
	}
	if len(errs) == 0 {
		errs = append(errs, errors.New("no client URL is known"))
	}
	return answer{}, fmt.Errorf("no member of cluster %s with a quorum answers: %w", cluster, joined(errs))
}

// speaksFor says why an answer does not have a quorum of the cluster behind
// it.
func (a answer) speaksFor(cluster joiner.ID) error {
	switch {
	case a.err != nil:
		return a.err
	case a.cluster != cluster:
		return fmt.Errorf("%s is in cluster %s", a.url, a.cluster)
	case a.doubt != nil:
		return fmt.Errorf("%s: %w", a.url, a.doubt)
	case !a.proven:
		return fmt.Errorf("%s is a learner", a.url)
	}
	return nil
}

func memberOf(list []joiner.Member, id joiner.ID) (joiner.Member, bool) {
	i := slices.IndexFunc(list, func(m joiner.Member) bool { return m.ID == id })
	if i < 0 {
		return joiner.Member{}, false
	}
	return list[i], true
}

func sameURLs(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
