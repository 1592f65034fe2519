package simulator

import (
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// Kill ends the process of a member: its addresses refuse connections.
func (c *Cluster) Kill(id joiner.ID) { c.become(id, Dead) }

// Freeze stops the process of a member where it stands.
func (c *Cluster) Freeze(id joiner.ID) { c.become(id, Frozen) }

// CutOff takes the network from a member.
func (c *Cluster) CutOff(id joiner.ID) { c.become(id, CutOff) }

// Part takes a member's links to the others; hosts that look still reach it.
func (c *Cluster) Part(id joiner.ID) { c.become(id, Parted) }

func (c *Cluster) become(id joiner.ID, s State) {
	m := c.Member(id)
	if m == nil || m.State == Unstarted || m.State == s || m.State == Dead {
		return
	}
	m.State, m.Since = s, 0
	c.settle()
}

// Thaw lets a frozen member go on, or gives a member its network back.
// Connections that nobody dropped meanwhile are as old as ever.
func (c *Cluster) Thaw(id joiner.ID) {
	m := c.Member(id)
	if m == nil || m.State != Frozen && m.State != CutOff && m.State != Parted {
		return
	}
	leader := c.Member(c.Leader)
	if leader == nil {
		leader = m
	}
	if !c.active(leader, m) {
		m.Up = 0
	}
	m.State, m.Since = Healthy, 0
	c.settle()
}

// Start runs the process of a member that has its data, or, of an entry that
// never ran, one that joins as it should: see Join for how that can fail.
func (c *Cluster) Start(id joiner.ID) {
	m := c.Member(id)
	if m == nil || m.State != Unstarted && m.State != Dead {
		return
	}
	if m.Log == NoLog {
		m.Log = Behind
	}
	if m.Name == "" {
		m.Name = Name(int(m.ID))
	}
	m.State, m.Since, m.Up = Healthy, 0, 0
	c.settle()
}

// Pass lets time go by: connections get old, members that run catch up, and
// an intent that nobody renews runs out.
func (c *Cluster) Pass(d time.Duration) {
	for i := range c.Members {
		m := &c.Members[i]
		c.age(m, d)
		if m.State == Healthy && c.Leader != 0 {
			m.Log = CaughtUp
		}
	}
	c.LeaderSince = min(c.LeaderSince+d, Horizon)
	c.runOut(d)
}
