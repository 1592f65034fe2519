package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// State is what the process of a member does.
type State byte

// The states.
const (
	Unstarted State = iota // it never ran
	Healthy                // it runs and is connected to the others
	Dead                   // its addresses refuse connections
	Frozen                 // it hangs: connections stay up, nothing answers
	CutOff                 // it runs, and no packet gets to or from it
	Parted                 // it runs, and none of the other members hears it
)

func (s State) String() string {
	return []string{"unstarted", "healthy", "dead", "frozen", "cut off", "parted"}[s]
}

// Log is how much of the log a member holds.
type Log byte

// The logs.
const (
	NoLog    Log = iota // no entry was ever acknowledged
	Behind              // less than nine tenths: etcd promotes nobody with that
	CaughtUp            // all there was when it was last healthy
)

const (
	// HealthInterval is how old a connection must be to count (etcdserver,
	// HealthInterval).
	HealthInterval = 5 * time.Second
	// hangNoticed is when etcd up to 3.4 drops a peer that hangs
	// (rafthttp, ConnReadTimeout).
	hangNoticed = 5 * time.Second
	// cutNoticed is when the leader of 3.5 and later drops a peer that no
	// packet reaches; its followers do not (measured: 69-76 s).
	cutNoticed = 75 * time.Second
	// electionTimeout is how long a leader without a quorum goes on.
	electionTimeout = time.Second
	// Horizon is the longest time that makes a difference to any rule:
	// longer ones are cut, so that there are not endlessly many states.
	Horizon = 2 * time.Minute
)

// Member is one member of the cluster.
type Member struct {
	ID         joiner.ID
	Name       string
	PeerURLs   []string // never written to: clones share them
	ClientURLs []string // what it publishes
	Learner    bool
	Named      bool // listed with its name: what etcd counts as started
	Published  bool // listed with its client URLs
	State      State
	Since      time.Duration // in this state, at most Horizon
	Up         time.Duration // since its connections were made, at most HealthInterval
	Log        Log
}

// Cluster is an etcd cluster. The zero value is none: see New.
type Cluster struct {
	ID          joiner.ID
	Version     Version
	Strict      bool // --strict-reconfig-check
	MaxLearners int  // --max-learners, 3.6 and later; always 1 before
	Members     []Member
	Leader      joiner.ID // 0: none
	Term        uint64
	LeaderSince time.Duration // at most Horizon, also since the last one was lost
	NoIntent    string        // why no intents can be kept, "" = they can

	deposed  joiner.ID      // the leader that lost its quorum
	owed     *change        // proposed by the deposed leader; never written to
	intent   *joiner.Intent // replaced, never written to: clones share it
	begun    *joiner.Intent // the same
	last     joiner.ID      // the last ID given
	revision int64          // of the store
}

// URL is the peer URL of host n.
func URL(n int) string { return fmt.Sprintf("http://10.0.0.%d:2380", n) }

// Name is the name of host n.
func Name(n int) string { return fmt.Sprintf("n%d", n) }

// New founds a cluster of hosts 1 to n, all healthy and connected for long.
// They get the member IDs 1 to n, and the first leads.
func New(version Version, n int) *Cluster {
	c := &Cluster{ID: 0xc1, Version: version, Strict: version.Strict(), MaxLearners: 1}
	for i := 1; i <= n; i++ {
		m := c.newMember(Name(i), []string{URL(i)})
		m.Named, m.Published, m.State, m.Log = true, true, Healthy, CaughtUp
		m.Since, m.Up = Horizon, HealthInterval
		c.Members = append(c.Members, m)
	}
	c.settle()
	c.LeaderSince = Horizon
	c.LeaderSince = Horizon
	return c
}

func (c *Cluster) newMember(name string, peerURLs []string) Member {
	c.last++
	clientURLs := make([]string, len(peerURLs))
	for i, u := range peerURLs {
		clientURLs[i] = strings.TrimSuffix(u, ":2380") + ":2379"
	}
	return Member{ID: c.last, Name: name, PeerURLs: peerURLs, ClientURLs: clientURLs}
}

// Clone is a cluster of its own with the same state.
func (c *Cluster) Clone() *Cluster {
	d := *c
	d.Members = slices.Clone(c.Members)
	return &d
}

// Member finds a member, nil where there is none with this ID.
func (c *Cluster) Member(id joiner.ID) *Member {
	for i := range c.Members {
		if c.Members[i].ID == id {
			return &c.Members[i]
		}
	}
	return nil
}

// At finds the member with exactly these peer URLs, nil where there is none.
func (c *Cluster) At(peerURLs []string) *Member {
	for i := range c.Members {
		if sameURLs(c.Members[i].PeerURLs, peerURLs) {
			return &c.Members[i]
		}
	}
	return nil
}

func sameURLs(a, b []string) bool {
	if len(a) == 1 && len(b) == 1 {
		return a[0] == b[0]
	}
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
