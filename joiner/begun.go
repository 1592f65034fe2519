package joiner

import (
	"fmt"
	"slices"
)

// BegunKey is where the cluster keeps, without a lease, the join that was begun
// last: a host may die between the removal and the add, and its intent runs
// out, but how many members there were to be, and who was to go, must not be
// forgotten.
const BegunKey = "_elastic-etcd/begun"

// Unfinished is the join that was begun and not seen to end; nil where there is
// none, where it changed nothing or all, or where others have joined since: then
// it is of no interest any more.
func (c Cluster) Unfinished() *Intent {
	if c.Begun == nil || c.untouched() || c.Begun.done(c) {
		return nil
	}
	for _, m := range c.Members {
		if !slices.Contains(c.Begun.Of, m.ID) && !sameURLs(m.PeerURLs, c.Begun.PeerURLs) {
			return nil
		}
	}
	return c.Begun
}

// joinOf is the join of this host, as it was meant when it began; nil where that
// is not known.
func (c Cluster) joinOf(p Policy) *Intent {
	if i := c.Intent; i.by(p) && i.Purpose == ToJoin {
		return i
	}
	if b := c.Unfinished(); b != nil && sameURLs(b.PeerURLs, p.identity()) {
		return b
	}
	return nil
}

// began tells whether the join that is remembered is this host's.
func (c Cluster) began(p Policy) bool {
	return c.Begun != nil && sameURLs(c.Begun.PeerURLs, p.identity())
}

// forget ends what this host has begun, once that does not matter any more.
func (c Cluster) forget(p Policy) (Plan, bool) {
	if c.NoIntent != "" || !c.began(p) {
		return Plan{}, false
	}
	return c.forgetting(c.Begun), true
}

func (c Cluster) forgetting(begun *Intent) Plan {
	return Plan{Step: StepForget, Reason: JoinOver, Cluster: c.ID, Intent: begun,
		Text: fmt.Sprintf("cluster %s is told that the join of host %q is over", c.ID, begun.Name)}
}

// beginning are the members that are there, and, where an unfinished join has
// removed one already, that one too: or whoever goes on with it would take the
// smaller cluster for the whole. One that was removed is enough to show that.
func (c Cluster) beginning() []ID {
	all := c.ids()
	if b := c.Unfinished(); b != nil {
		if i := slices.IndexFunc(b.Of, func(id ID) bool { return !slices.Contains(all, id) }); i >= 0 {
			all = append(all, b.Of[i])
		}
	}
	slices.Sort(all)
	return all
}

// untouched tells whether the members are just those of when the join began.
func (c Cluster) untouched() bool {
	return c.Begun != nil && slices.Equal(slices.Sorted(slices.Values(c.Begun.Of)), slices.Sorted(slices.Values(c.ids())))
}
