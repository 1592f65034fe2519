package joiner

import "fmt"

type life int

const (
	undecided  life = iota // the window is not over
	alive                  // it answered us, or the leader hears from it
	starting               // silent, and another host is just about to start it
	dead                   // silent and stalled for the whole window
	unknowable             // silent to us, and the leader's word is not to be had
)

// verdict says whether a member is dead. It is the cluster's verdict: the
// leader's replication progress decides, and this host's own probes can only
// acquit. Whatever is not clear is not dead.
func verdict(p Policy, c Cluster, m Member) life {
	h := m.Health
	switch {
	case h.Reached != "" || (c.NoProof == "" && h.Following):
		return alive
	case c.joins(m, p):
		return starting
	case h.Unclear != "" || h.Silent < p.DeadAfter && !m.neverStarts(p):
		return undecided
	case c.NoProof != "":
		return unknowable
	case h.Stalled < p.DeadAfter:
		return undecided
	}
	return dead
}

// lives tells whether nobody is to wait for a member's death.
func lives(v life) bool { return v == alive || v == starting }

func noEvidence(c Cluster, m Member) Plan {
	return notNow(NoEvidence,
		fmt.Sprintf("member %s does not answer this host, but whether it is dead only the leader can tell: %s", describe(m), c.NoProof),
		"let this host reach /debug/vars on the leader's client URL (or name its --listen-client-http-urls in -endpoints), or remove the member by hand: etcdctl member remove "+m.ID.String())
}

func describe(m Member) string {
	if m.Name == "" {
		return fmt.Sprintf("%s %q", m.ID, m.PeerURLs)
	}
	return fmt.Sprintf("%s (%q)", m.ID, m.Name)
}

// evidence says in numbers why a member is taken for dead.
func evidence(m Member) string {
	if m.Health.Unstarted > m.Health.Silent {
		return fmt.Sprintf("it was seen not to start for %s", m.Health.Unstarted.Round())
	}
	if m.Health.Receiving {
		return fmt.Sprintf("no answer to this host for %s, and the leader is sending it a snapshot", m.Health.Silent.Round())
	}
	return fmt.Sprintf("no answer to this host for %s, no progress in the leader's log for %s (match %d)",
		m.Health.Silent.Round(), m.Health.Stalled.Round(), m.Health.Match)
}
