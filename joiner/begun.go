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
// it is of no interest any more. One that took out more members than it brought
// is not at its end before others have filled that up.
func (c Cluster) Unfinished() *Intent {
	if c.Begun == nil || c.untouched() || c.Begun.done(c) && c.restored() {
		return nil
	}
	if c.overtaken() {
		return nil
	}
	return c.Begun
}

// overtaken tells whether others have joined since the join began.
func (c Cluster) overtaken() bool {
	return c.Begun != nil && slices.ContainsFunc(c.Members, func(m Member) bool {
		return !slices.Contains(c.Begun.Of, m.ID) && !sameURLs(m.PeerURLs, c.Begun.PeerURLs)
	})
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

// Arrived tells whether the host that began it has joined.
func (c Cluster) Arrived() bool { return c.Begun != nil && c.Begun.done(c) }

// restored tells whether there are as many members again as when the join began,
// or as many as there were to be.
func (c Cluster) restored() bool {
	return len(c.Members) >= min(c.Begun.Size, len(c.Begun.Of))
}

// forget ends what this host has begun, once that does not matter any more, or
// what anybody has, once others have joined: when those are gone again it would
// count anew.
func (c Cluster) forget(p Policy) (Plan, bool) {
	if c.NoIntent != "" || !c.overtaken() && (!c.began(p) || !c.restored()) {
		return Plan{}, false
	}
	return c.forgetting(c.Begun), true
}

func (c Cluster) forgetting(begun *Intent) Plan {
	return Plan{Step: StepForget, Reason: JoinOver, Cluster: c.ID, Intent: begun,
		Text: fmt.Sprintf("cluster %s is told that the join of host %q is over", c.ID, begun.Name)}
}

// beginning are the members that are there, and those that an unfinished join has
// removed already, up to the number that there were to be: or whoever goes on with
// it would take the smaller cluster for the whole.
func (c Cluster) beginning() []ID {
	all := c.ids()
	if b := c.Unfinished(); b != nil {
		most := max(b.Size, len(all)+1) // one at least shows that it is unfinished
		gone := slices.DeleteFunc(slices.Clone(b.Of), func(id ID) bool { return slices.Contains(all, id) })
		all = append(all, gone[:min(len(gone), most-len(all))]...)
	}
	slices.Sort(all)
	return all
}

// untouched tells whether the members are just those of when the join began.
func (c Cluster) untouched() bool {
	return c.Begun != nil && slices.Equal(slices.Sorted(slices.Values(c.Begun.Of)), slices.Sorted(slices.Values(c.ids())))
}
