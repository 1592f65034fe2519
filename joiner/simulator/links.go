package simulator

// active tells whether at holds m for connected (rafthttp, ActiveSince).
func (c *Cluster) active(at, m *Member) bool {
	switch m.State {
	case Healthy:
		return true
	case Frozen:
		return !c.Version.noticesHangs() || m.Since < hangNoticed
	case CutOff, Parted:
		return c.cutUnnoticed(at, m)
	}
	return false
}

func (c *Cluster) cutUnnoticed(at, m *Member) bool {
	switch {
	case c.Version.noticesHangs():
		return m.Since < hangNoticed
	case at.ID == c.Leader:
		return m.Since < cutNoticed
	}
	return true
}

// Active tells whether the member at holds m for connected.
func (c *Cluster) Active(at, m *Member) bool { return c.active(at, m) }

// connected counts the voters that at is connected to for long enough, itself
// included (util.go, numConnectedSince).
func (c *Cluster) connected(at *Member) int {
	n := 0
	for i := range c.Members {
		switch m := &c.Members[i]; {
		case m.Learner:
		case m.ID == at.ID:
			n++
		case c.active(at, m) && at.Up >= HealthInterval && m.Up >= HealthInterval:
			n++
		}
	}
	return n
}
