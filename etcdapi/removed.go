package etcdapi

import (
	"maps"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// An etcd that is asked for its status while it applies its own removal panics
// (etcd-io/etcd#21966), and systemd starts one that crashed again. So whoever
// was just removed is left alone.

// leaveAlone is for how long: an etcd that was removed ends within a second.
const leaveAlone = 15 * time.Second

// metAt remembers which member answers at each client port.
func (a *API) metAt(l *look) {
	met := make(map[contact]joiner.ID, len(l.answers))
	for _, ans := range l.answers {
		if ans.port == clientPort && ans.complete() {
			met[ans.contact] = ans.member
		}
	}
	a.met = met
}

// parted notes that a member is about to be removed.
func (a *API) parted(m joiner.Member) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(a.removed, func(_ contact, at time.Time) bool { return now.Sub(at) >= leaveAlone })
	for c, id := range a.met {
		if id == m.ID {
			a.removed[c] = now
		}
	}
}

// isRemoved tells whether the member at a client port was removed just now.
func (a *API) isRemoved(c contact) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, removed := a.removed[c]
	return removed && time.Since(at) < leaveAlone
}
