package etcdapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

const (
	// followTime is what healthy members get to follow the leader's log. Near
	// ones take 6 ms in the median and 41 ms at most, on every version; across
	// oceans it is a round trip of 400 ms, and a heartbeat.
	followTime = 700 * time.Millisecond
	// firstPoll and longestPoll space out the questions to the leader: each
	// makes it stop for its memory statistics.
	firstPoll   = 5 * time.Millisecond
	longestPoll = 100 * time.Millisecond
)

// progress is the leader's word on how far each log is.
type progress struct {
	leader joiner.ID
	term   uint64
	commit uint64
	match  map[joiner.ID]uint64
	// receiving are those that a snapshot is being sent to.
	receiving map[joiner.ID]bool
}

// parseProgress reads a body of /debug/vars: raft.status, the same from etcd
// 2.3 to 3.7 but for the names of states. Only a leader knows the others'
// progress.
func parseProgress(body []byte) (progress, error) {
	var vars struct {
		Status *struct {
			ID, Lead     joiner.ID
			Term, Commit uint64
			Progress     map[joiner.ID]struct {
				Match uint64
				State string // StateSnapshot, in 2.3 ProgressStateSnapshot
			}
		} `json:"raft.status"`
	}
	if err := json.Unmarshal(body, &vars); err != nil {
		return progress{}, err
	}
	s := vars.Status
	switch {
	case s == nil:
		return progress{}, errors.New("no raft.status in it")
	case s.Lead != s.ID || len(s.Progress) == 0:
		return progress{}, fmt.Errorf("member %s is not the leader", s.ID)
	}
	p := progress{leader: s.ID, term: s.Term, commit: s.Commit, match: map[joiner.ID]uint64{}, receiving: map[joiner.ID]bool{}}
	for id, of := range s.Progress {
		p.match[id], p.receiving[id] = of.Match, strings.HasSuffix(of.State, "StateSnapshot")
	}
	return p, nil
}

// evidence is how the logs of one cluster followed an entry. err says why
// that is not known.
type evidence struct {
	cluster joiner.ID
	progress
	newest uint64 // what had to be followed
	err    error
	linear

	intent   *joiner.Intent
	begun    *joiner.Intent
	noIntent string // why there can be none
	barred   *joiner.Barred
}

// gather finds out whose log follows and who is changing the membership. The
// leader is looked for at others too, of whom it is not known yet who they are.
func (a *API) gather(ctx context.Context, proof answer, others []string) evidence {
	var intent, begun *joiner.Intent
	var none string
	var reading sync.WaitGroup
	reading.Go(func() { intent, begun, none = a.readIntent(ctx, proof) })
	var barred *joiner.Barred
	reading.Go(func() { barred = a.admits(ctx, proof) })
	e := a.follow(ctx, proof, others)
	e.linear = a.askLinear(ctx, proof, e.err != nil || a.thorough)
	reading.Wait()
	e.barred = barred
	e.intent, e.begun, e.noIntent = intent, begun, none
	return e
}

func (e evidence) following(id joiner.ID) bool { return e.match[id] >= e.newest }

// follow asks the leader, just after an entry was committed, whose log has
// it, until all that are awaited have it or followTime is over.
func (a *API) follow(ctx context.Context, proof answer, others []string) evidence {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	e := evidence{cluster: proof.cluster}
	var from string
	if from, e.progress, e.err = a.findLeader(ctx, proof, others); e.err != nil {
		return e
	}
	e.newest = e.commit
	late, stop := context.WithTimeout(ctx, followTime)
	defer stop()
	for wait := firstPoll; e.err == nil && !e.all(a.awaited(proof.list)) && pause(late, wait); wait = min(2*wait, longestPoll) {
		e.progress, e.err = a.progressAt(ctx, from, proof)
	}
	return e
}

// awaited are the started members whose logs are waited for. A decision does
// without this host's own member: at boot it does not run, and if it does, it
// answers.
func (a *API) awaited(list []joiner.Member) []joiner.Member {
	return slices.DeleteFunc(slices.Clone(list), func(m joiner.Member) bool {
		own := slices.ContainsFunc(m.PeerURLs, func(u string) bool { return slices.Contains(a.own, u) })
		return !m.Started() || own && !a.thorough
	})
}

// all tells whether nobody is left to wait for.
func (e evidence) all(list []joiner.Member) bool {
	return !slices.ContainsFunc(list, func(m joiner.Member) bool { return !e.following(m.ID) })
}

// findLeader asks the client URLs of the leader; where none of them tells, as
// where it advertises localhost, the admin may still have named one.
func (a *API) findLeader(ctx context.Context, proof answer, others []string) (from string, p progress, err error) {
	known := leaderURLs(proof)
	if from, p, err = a.firstProgress(ctx, proof, known); err == nil {
		return from, p, nil
	}
	others = slices.DeleteFunc(others, func(u string) bool { return slices.Contains(known, u) })
	if from, p, e := a.firstProgress(ctx, proof, others); e == nil {
		return from, p, nil
	}
	return "", progress{}, err
}

// firstProgress asks all URLs at once; the first that tells the leader's
// progress is as good as any.
func (a *API) firstProgress(ctx context.Context, proof answer, urls []string) (from string, p progress, err error) {
	type found struct {
		from string
		progress
		err error
	}
	var errs []error
	for f := range askAll(ctx, urls, func(ctx context.Context, u string) found {
		p, err := a.progressAt(ctx, u, proof)
		return found{u, p, err}
	}) {
		if f.err == nil {
			return f.from, f.progress, nil
		}
		errs = append(errs, f.err)
	}
	if len(errs) == 0 {
		errs = append(errs, fmt.Errorf("the leader, member %s, has no client URL that can be asked", proof.leader))
	}
	return "", progress{}, joined(errs)
}

// leaderURLs are the client URLs of the leader, and the one that just spoke
// for it.
func leaderURLs(proof answer) []string {
	var urls []string
	if proof.member == proof.leader {
		urls = append(urls, proof.url)
	}
	for _, m := range proof.list {
		if m.ID != proof.leader {
			continue
		}
		for _, c := range parseContacts(clientPort, m.ClientURLs) {
			urls = append(urls, c.url)
		}
	}
	slices.Sort(urls)
	return slices.Compact(urls)
}

// progressAt asks one URL, and takes only the leader's word on exactly the
// members of the list.
func (a *API) progressAt(ctx context.Context, base string, proof answer) (progress, error) {
	where := base + "/debug/vars"
	r, err := get(ctx, a.client, where)
	if err != nil {
		return progress{}, err
	}
	p, err := parseProgress(r.body)
	if err == nil {
		err = p.fits(proof)
	}
	if err != nil {
		return progress{}, fmt.Errorf("GET %s: %w", where, err)
	}
	return p, nil
}

func (p progress) fits(proof answer) error {
	if p.leader != proof.leader {
		return fmt.Errorf("member %s leads, not %s", p.leader, proof.leader)
	}
	for _, m := range proof.list {
		if _, known := p.match[m.ID]; !known {
			return fmt.Errorf("the leader does not know member %s", m.ID)
		}
	}
	return nil
}

// pause tells whether there is time left after d.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
