package joiner

import "time"

// maxGap is the longest time between two observations that still count as
// one window: in a longer one a member may have answered unseen.
const maxGap = 15 * time.Second

// Ledger turns single observations into evidence over time. The zero value
// is ready; it serves one Run and one cluster at a time.
type Ledger struct {
	last   time.Time
	source source
	tracks map[ID]track
}

// source is whose word the progress is. Another leader counts anew.
type source struct {
	cluster, leader ID
	term            uint64
}

type track struct {
	silentSince  time.Time // zero: not silent
	stalledSince time.Time // zero: nobody's progress is known
	absentSince  time.Time // of an entry that does not start
	match        uint64
}

// Note fills in, for every member of the cluster, for how long it has been
// silent and stalled, and of an entry for how long it did not start. The members come with what was seen at this moment:
// Reached, Unclear, Match, Following and Receiving. Only a moment at which a quorum's
// logs moved counts against a member whose log did not.
func (l *Ledger) Note(now time.Time, c *Cluster) {
	src := source{c.ID, c.Leader, c.Term}
	if src.cluster != l.source.cluster || now.Sub(l.last) > maxGap {
		l.tracks = nil
	}
	counts := c.NoProof == "" && src == l.source && l.quorumMoved(*c)
	next := make(map[ID]track, len(c.Members))
	for i := range c.Members {
		m := &c.Members[i]
		t, known := l.tracks[m.ID]
		// The window of a member that is being started begins when nobody
		// is at it any more.
		t = t.note(now, *m, known && counts, !m.Started() && c.Intent.live() && sameURLs(c.Intent.PeerURLs, m.PeerURLs))
		next[m.ID] = t
		m.Health.Silent, m.Health.Stalled, m.Health.Unstarted = since(now, t.silentSince), since(now, t.stalledSince), since(now, t.absentSince)
	}
	l.last, l.source, l.tracks = now, src, next
}

func (t track) note(now time.Time, m Member, counts, starting bool) track {
	switch {
	case starting:
		t.silentSince = now
	case m.Health.Reached != "" || m.Health.Unclear != "":
		t.silentSince = time.Time{}
	case t.silentSince.IsZero():
		t.silentSince = now
	}
	if !counts || t.match != m.Health.Match || m.Health.Following || m.Health.Receiving {
		t.stalledSince = now
	}
	h := m.Health
	if m.Started() || h.Reached != "" || h.Unclear != "" || h.Receiving || t.match != h.Match || t.absentSince.IsZero() {
		t.absentSince = now
	}
	t.match = h.Match
	return t
}

// quorumMoved tells whether the logs of a quorum of voters grew since the
// last moment.
func (l *Ledger) quorumMoved(c Cluster) bool {
	moved := 0
	for _, m := range c.Members {
		if t, known := l.tracks[m.ID]; known && !m.Learner && m.Health.Match > t.match {
			moved++
		}
	}
	return moved >= quorum(c.voters())
}

func since(now, start time.Time) Duration {
	if start.IsZero() {
		return 0
	}
	return Duration(now.Sub(start))
}
