package simulator

import (
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

const intentTime = joiner.Duration(joiner.IntentTime)

// Intent is the one in the cluster, nil = none.
func (c *Cluster) Intent() *joiner.Intent { return c.intent }

// Claim puts an intent into the cluster where there is none, or in place of
// the one that has its revision.
func (c *Cluster) Claim(i joiner.Intent) error {
	if err := c.commits(); err != nil {
		return err
	}
	if i.Revision != c.intentRevision() {
		return ErrIntentLost
	}
	c.revision++
	i.Revision, i.Lease, i.Left = c.revision, c.revision, intentTime
	c.intent = &i
	if i.Of != nil {
		b := i
		b.Lease, b.Left = 0, 0
		c.begun = &b
	}
	return nil
}

// Forget takes out the join that was begun, if it is still the same.
func (c *Cluster) Forget(i joiner.Intent) error {
	if err := c.commits(); err != nil {
		return err
	}
	if c.begun != nil && c.begun.Revision == i.Revision {
		c.begun = nil
	}
	return nil
}

func (c *Cluster) intentRevision() int64 {
	if c.intent == nil {
		return 0
	}
	return c.intent.Revision
}

// Renew gives the intent with this lease its whole time again.
func (c *Cluster) Renew(i joiner.Intent) error {
	if err := c.commits(); err != nil {
		return err
	}
	if c.intent == nil || c.intent.Lease != i.Lease {
		return ErrIntentLost
	}
	renewed := *c.intent
	renewed.Left = intentTime
	c.intent = &renewed
	return nil
}

// Release takes out the intent with this revision. That it is gone is no
// error.
func (c *Cluster) Release(i joiner.Intent) error {
	if err := c.commits(); err != nil {
		return err
	}
	if c.intent != nil && c.intent.Revision == i.Revision {
		c.intent = nil
	}
	return nil
}

// runOut counts a lease down. Only a leader ends one; a new leader begins its
// time anew (lease/lessor.go, Promote), which only ever prolongs it.
func (c *Cluster) runOut(d time.Duration) {
	if c.intent == nil || c.Leader == 0 {
		return
	}
	older := *c.intent
	older.Left -= joiner.Duration(d)
	c.intent = &older
	if older.Left <= 0 {
		c.intent = nil
	}
}
