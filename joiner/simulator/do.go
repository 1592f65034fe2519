package simulator

import (
	"fmt"
	"slices"

	"github.com/sttts/elastic-etcd/joiner"
)

// Do carries out a step as etcdapi does: nil for one that already happened,
// and only on the members and under the intent that the plan rests on.
func (c *Cluster) Do(plan joiner.Plan, h *Host) error {
	switch plan.Step {
	case joiner.StepClaim:
		return c.claimFor(plan, h)
	case joiner.StepRelease:
		return c.releaseFor(plan, h)
	case joiner.StepForget:
		return c.forgetFor(plan, h)
	case joiner.StepAdd, joiner.StepRemove, joiner.StepPromote, joiner.StepUpdate:
		return c.change(plan, h)
	case joiner.StepMoveLeader:
		return c.moveLeaderFor(plan, h)
	case joiner.StepArchive:
		h.Disk = joiner.Disk{State: joiner.DiskFresh}
		return nil
	}
	return fmt.Errorf("%w: %s", ErrNotSimulated, plan.Step)
}

func (c *Cluster) claimFor(plan joiner.Plan, h *Host) error {
	switch {
	case c.spokesman(h, 0) == nil:
		return ErrUnreachable
	case c.NoIntent != "":
		return nil
	case plan.Intent.Lease != 0:
		return c.Renew(*plan.Intent)
	}
	return c.Claim(*plan.Intent)
}

func (c *Cluster) releaseFor(plan joiner.Plan, h *Host) error {
	if c.spokesman(h, 0) == nil {
		return ErrUnreachable
	}
	return c.Release(*plan.Intent)
}

func (c *Cluster) forgetFor(plan joiner.Plan, h *Host) error {
	if c.spokesman(h, 0) == nil {
		return ErrUnreachable
	}
	return c.Forget(*plan.Intent)
}

// moveLeaderFor asks the leader: only that one can pass it on.
func (c *Cluster) moveLeaderFor(plan joiner.Plan, h *Host) error {
	leader := c.Member(c.Leader)
	switch {
	case leader == nil || !h.reaches(leader):
		return ErrUnreachable
	case leader.ID == plan.Member.ID:
		return nil
	}
	return c.MoveLeader(plan.Member.ID)
}

func (c *Cluster) change(plan joiner.Plan, h *Host) error {
	at := c.spokesman(h, avoided(plan))
	if at == nil {
		return ErrUnreachable
	}
	open, err := c.open(plan, h)
	if err != nil || !open {
		return err
	}
	if plan.Seen != nil && !c.has(plan.Seen) {
		return ErrChanged
	}
	if plan.Intent != nil {
		if err := c.Renew(*plan.Intent); err != nil {
			return err
		}
	}
	return c.ask(plan, h, at.ID)
}

// avoided is the member that had better not be asked: it goes by this.
func avoided(plan joiner.Plan) joiner.ID {
	if plan.Step == joiner.StepRemove || plan.Step == joiner.StepPromote {
		return plan.Member.ID
	}
	return 0
}

// open tells whether there is still something to do, or why it must not be
// done.
func (c *Cluster) open(plan joiner.Plan, h *Host) (bool, error) {
	if plan.Step == joiner.StepAdd {
		return c.At(h.Policy.PeerURLs) == nil, nil
	}
	m := c.Member(plan.Member.ID)
	switch {
	case m == nil && plan.Step == joiner.StepRemove:
		return false, nil
	case m == nil:
		return true, ErrChanged
	case plan.Step == joiner.StepPromote:
		return m.Learner, nil
	case plan.Step == joiner.StepUpdate && sameURLs(m.PeerURLs, h.Policy.PeerURLs):
		return false, nil
	case !sameURLs(m.PeerURLs, plan.Member.PeerURLs):
		return true, ErrChanged
	case plan.Step == joiner.StepRemove && m.Published && !plan.Member.Started():
		return true, ErrChanged
	}
	return true, nil
}

// has tells whether the members are just these.
func (c *Cluster) has(ids []joiner.ID) bool {
	if len(ids) != len(c.Members) {
		return false
	}
	for i := range c.Members {
		if !slices.Contains(ids, c.Members[i].ID) {
			return false
		}
	}
	return true
}

func (c *Cluster) ask(plan joiner.Plan, h *Host, at joiner.ID) (err error) {
	switch plan.Step {
	case joiner.StepAdd:
		_, err = c.add(at, h.Policy.PeerURLs, plan.Learner && c.Version.learners())
	case joiner.StepRemove:
		err = c.Remove(at, plan.Member.ID)
	case joiner.StepPromote:
		err = c.Promote(at, plan.Member.ID)
	case joiner.StepUpdate:
		err = c.Update(at, plan.Member.ID, h.Policy.PeerURLs...)
	}
	return err
}
