package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

const second = joiner.Duration(time.Second)

// statusCluster has one of everything.
func statusCluster() joiner.Cluster {
	url := func(n string) []string { return []string{"http://10.0.0." + n + ":2380"} }
	client := func(n string) []string { return []string{"http://10.0.0." + n + ":2379"} }
	return joiner.Cluster{ID: 0xc1, Named: true, From: "http://10.0.0.1:2379", API: "v3", Version: joiner.Version{Major: 3, Minor: 6}, Leader: 1, Term: 7, Members: []joiner.Member{
		{ID: 1, Name: "n1", PeerURLs: url("1"), ClientURLs: client("1"), Version: joiner.Version{Major: 3, Minor: 6},
			Details: joiner.Details{Version: "3.6.16", DBSize: 25_300_000, DBInUse: 10_100_000, Committed: 110, Applied: 110},
			Health:  joiner.Health{Reached: "http://10.0.0.1:2379", Match: 100, Following: true}},
		{ID: 2, Name: "n2\x1b[31m\u009b", PeerURLs: url("2"), ClientURLs: client("2"), Alarms: []string{"NOSPACE"},
			Health: joiner.Health{Match: 60, Silent: 2 * second, Stalled: 2 * second}},
		{ID: 3, PeerURLs: url("3"), Learner: true},
	}}
}

// statusOf is the status of a cluster as host 1, which has no data, sees it.
func statusOf(change func(*joiner.Cluster, *joiner.Observation)) joiner.Status {
	c, o := statusCluster(), joiner.Observation{}
	if change != nil {
		change(&c, &o)
	}
	if c.ID != 0 {
		o.Clusters = []joiner.Cluster{c}
	}
	s, _ := joiner.StatusOf(joiner.Policy{PeerURLs: []string{"http://10.0.0.1:2380"}, Announces: true}, o)
	return s
}

// voters makes a cluster of so many voters, of which some are healthy.
func voters(n, healthy int) func(*joiner.Cluster, *joiner.Observation) {
	return func(c *joiner.Cluster, _ *joiner.Observation) {
		one := c.Members[0]
		c.Members = nil
		for i := range n {
			one.ID, one.Health.Following = joiner.ID(i+1), i < healthy
			c.Members = append(c.Members, one)
		}
	}
}

func TestStatusText(t *testing.T) {
	const want = `cluster c1, version 3.6, leader 1, term 7

  MEMBER  NAME                ROLE               ETCD     DB (IN USE)        PEER URLS             HEALTH
  1       "n1" (this host)    leader             3.6.16   25.3 MB (10.1 MB)  http://10.0.0.1:2380  answers, follows the log
  2       "n2\x1b[31m\u009b"  voter              unknown  unknown            http://10.0.0.2:2380  NOSPACE, not answering, log stands still, 40 entries behind
  3       ""                  unstarted learner  unknown  unknown            http://10.0.0.3:2380  never started

the data dir of this host is empty
1 of 2 voters healthy: the quorum of 2 is being lost; ALARM: NOSPACE
`
	for range 3 {
		var b strings.Builder
		if err := statusText(&b, statusOf(nil)); err != nil || b.String() != want {
			t.Fatalf("got %v\n%s\nwant\n%s", err, b.String(), want)
		}
	}
}

func TestStatusTextWithoutQuorum(t *testing.T) {
	s := statusOf(func(c *joiner.Cluster, o *joiner.Observation) {
		o.Disk = joiner.Disk{State: joiner.DiskData, ClusterID: c.ID, MemberID: 2}
		o.Views = []joiner.View{{From: "http://10.0.0.1:2379", ClusterID: c.ID, Members: c.Members[:2]}}
		c.ID = 0
	})
	const want = `cluster c1, as http://10.0.0.1:2379 alone tells it

  MEMBER  NAME                            ROLE   ETCD     DB (IN USE)        PEER URLS             HEALTH
  1       "n1"                            voter  3.6.16   25.3 MB (10.1 MB)  http://10.0.0.1:2380  answers
  2       "n2\x1b[31m\u009b" (this host)  voter  unknown  unknown            http://10.0.0.2:2380  NOSPACE, not answering

the data dir of this host is that of member 2
NO QUORUM: 1 of 2 voters answer this host, and 2 must agree
`
	var b strings.Builder
	if err := statusText(&b, s); err != nil || b.String() != want {
		t.Fatalf("got %v\n%s\nwant\n%s", err, b.String(), want)
	}
}

// TestStatusLines are the lines under the table.
func TestStatusLines(t *testing.T) {
	intent := func(i joiner.Intent) func(*joiner.Cluster, *joiner.Observation) {
		return func(c *joiner.Cluster, _ *joiner.Observation) { c.Intent = &i }
	}
	data := func(d joiner.Disk) func(*joiner.Cluster, *joiner.Observation) {
		d.State = joiner.DiskData
		return func(_ *joiner.Cluster, o *joiner.Observation) { o.Disk = d }
	}
	for _, c := range []struct {
		name   string
		change func(*joiner.Cluster, *joiner.Observation)
		want   string
	}{
		{"three", voters(3, 3), "\n3 of 3 voters healthy: one may fail\n"},
		{"five", voters(5, 5), "\n5 of 5 voters healthy: 2 may fail\n"},
		{"two of three", voters(3, 2), "\n2 of 3 voters healthy: no fault tolerance left: the next voter that fails takes the quorum\n"},
		{"one", voters(1, 1), "\n1 of 1 voter healthy: no fault tolerance: a cluster of 1 never has any\n"},
		{"two", voters(2, 2), "\n2 of 2 voters healthy: no fault tolerance: a cluster of 2 never has any\n"},
		{"no proof", func(c *joiner.Cluster, _ *joiner.Observation) {
			c.NoProof, c.Members[0].Health.Proven = "refused", true
		},
			"\n1 of 2 voters answer this host for a quorum (the leader's word is not to be had: refused): the quorum of 2 is being lost"},
		{"a downgrade", func(c *joiner.Cluster, _ *joiner.Observation) { c.Downgrading = true }, "version 3.6 (a downgrade is enabled), leader"},
		{"who joins", intent(joiner.Intent{Name: "n9", Purpose: joiner.ToJoin, Left: 90 * second}), "\n\"n9\" is changing the membership (join), for 1m30s at most\n"},
		{"who replaces", intent(joiner.Intent{Name: "n9", Purpose: joiner.ToJoin, Replaces: 2, Left: 90 * second}), "\n\"n9\" is changing the membership (join, replaces 2), for 1m30s at most\n"},
		{"who died over it", func(c *joiner.Cluster, _ *joiner.Observation) {
			c.Begun = &joiner.Intent{Name: "n9\x07", PeerURLs: []string{"http://10.0.0.9:2380"}, Purpose: joiner.ToJoin, Size: 4, Of: []joiner.ID{1, 2, 3, 9}}
		}, "\n\"n9\\a\" began to join and has not ended: the next host that joins goes on\n"},
		{"who left places free", func(c *joiner.Cluster, _ *joiner.Observation) {
			c.Begun = &joiner.Intent{Name: "n9\x07", PeerURLs: c.Members[0].PeerURLs, Purpose: joiner.ToJoin, Size: 4, Of: []joiner.ID{2, 3, 8, 9}}
		}, "\nthere is room for hosts that give no size: \"n9\\a\" joined where there were to be 4 members\n"},
		{"an unreadable intent", intent(joiner.Intent{Unclear: "timed out"}), "\nwhether a host is changing the membership cannot be read: timed out\n"},
		{"no intents", func(c *joiner.Cluster, _ *joiner.Observation) { c.NoIntent = "denied\x07" }, "who changes the membership: denied\\a\n"},
		{"our data", data(joiner.Disk{ClusterID: 0xc1, MemberID: 1}), "\nthe data dir of this host is that of member 1\n"},
		{"removed", data(joiner.Disk{ClusterID: 0xc1, MemberID: 9}), "does not list any more\n"},
		{"foreign", data(joiner.Disk{ClusterID: 0xc2, MemberID: 1}), "\nthe data dir of this host is of ANOTHER cluster"},
		{"damaged", func(_ *joiner.Cluster, o *joiner.Observation) { o.Disk.State = joiner.DiskDamaged }, "\nthe data dir of this host is damaged\n"},
	} {
		var b strings.Builder
		if err := statusText(&b, statusOf(c.change)); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: got %v\n%s\nwant\n%s", c.name, err, b.String(), c.want)
		}
	}
}

func TestCondition(t *testing.T) {
	s := statusOf(nil)
	for _, c := range []struct {
		name   string
		change func(*joiner.Member)
		want   string
	}{
		{"healthy", func(*joiner.Member) {}, "answers, follows the log"},
		{"gone", func(m *joiner.Member) { m.Health = joiner.Health{Refused: true, Stalled: second, Match: 99} }, "refuses connections, log stands still, 1 entry behind"},
		{"its address is another's", func(m *joiner.Member) { m.Health = joiner.Health{Other: "http://x:2380", Match: 99} }, "another member answers at its address http://x:2380, 1 entry behind"},
		{"it gets a snapshot", func(m *joiner.Member) { m.Health = joiner.Health{Reached: "x", Receiving: true} }, "answers, receives a snapshot, 100 entries behind"},
		{"it catches up, or not", func(m *joiner.Member) { m.Health = joiner.Health{Reached: "x", Match: 60} }, "answers, 40 entries behind"},
		{"TLS", func(m *joiner.Member) { m.Health = joiner.Health{Unclear: "bad certificate", Following: true} }, "answers unclearly: bad certificate, follows the log"},
		{"added", func(m *joiner.Member) { m.ClientURLs, m.Health = nil, joiner.Health{} }, "never started"},
		{"a founder that waits", func(m *joiner.Member) { m.ClientURLs, m.Health = nil, joiner.Health{Reached: "x"} }, "answers, never started"},
		{"a full disk queue", func(m *joiner.Member) { m.Details.Applied, m.Details.Committed = 1, 5001 }, "answers, follows the log, 5000 committed entries not applied yet"},
		{"some on their way", func(m *joiner.Member) { m.Details.Applied, m.Details.Committed = 1, 900 }, "answers, follows the log"},
	} {
		m := s.Cluster.Members[0]
		c.change(&m)
		if got := condition(s, m); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		size, inUse int64
		want        string
	}{
		{0, 0, "unknown"},
		{20_480, 0, "20.5 kB"},
		{999_949, 4_000, "999.9 kB (4.0 kB)"},
		{1_000_000, 20_480, "1.0 MB (20.5 kB)"},
		{2_147_483_648, 25_300_000, "2.1 GB (25.3 MB)"},
		{9_000_000_000_000, 1, "9000.0 GB (0.0 kB)"},
	} {
		if got := sizes(joiner.Details{DBSize: c.size, DBInUse: c.inUse}); got != c.want {
			t.Errorf("%d, %d: got %q, want %q", c.size, c.inUse, got, c.want)
		}
	}
}

// TestStatusJSON: what docs/status.md shows is what comes out.
func TestStatusJSON(t *testing.T) {
	s := statusOf(func(c *joiner.Cluster, o *joiner.Observation) {
		c.Intent = &joiner.Intent{Name: "n4", PeerURLs: []string{"http://10.0.0.4:2380"}, Purpose: joiner.ToJoin, Replaces: 2, Left: 90 * second, Lease: 5}
	})
	var b strings.Builder
	if err := statusJSON(&b, s); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "```json\n"+b.String()+"```\n") {
		t.Errorf("docs/status.md does not have this: %s", b.String())
	}
}

// TestStatusJSONUnknown: null is what is not known, and nothing for a terminal
// to act on gets through.
func TestStatusJSONUnknown(t *testing.T) {
	s := statusOf(func(c *joiner.Cluster, _ *joiner.Observation) {
		c.API, c.NoProof, c.Leader, c.Term, c.Version = "v2", "refused", 0, 0, joiner.Version{}
		c.Members[0].Name = "a\u009bb\U000e0001c\x7f<>"
		c.Members[0].Details = joiner.Details{}
	})
	var b strings.Builder
	if err := statusJSON(&b, s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"leader": null`, `"term": null`, `"version": null`, `"intent": null`, `"lag": null`, `"following": null`, `"stalled": null`,
		`"unapplied": null`, `"db_size": null`, `"db_in_use": null`, `"alarms": null`, `"no_proof": "refused"`, `"name": "a\u009bb\udb40\udc01c\u007f<>"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, b.String())
		}
	}
	var back struct{ Members []struct{ Name string } }
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back.Members[0].Name != s.Cluster.Members[0].Name {
		t.Errorf("the name comes back as %q: %v", back.Members[0].Name, err)
	}
}

func TestStatusEnd(t *testing.T) {
	foreign := func(_ *joiner.Cluster, o *joiner.Observation) {
		o.Disk = joiner.Disk{State: joiner.DiskData, ClusterID: 0xc2, MemberID: 1}
	}
	both := func(c *joiner.Cluster, o *joiner.Observation) { voters(3, 3)(c, o); foreign(c, o) }
	for _, c := range []struct {
		name string
		p    joiner.Policy
		o    joiner.Observation
		s    joiner.Status
		code int
	}{
		{"three", joiner.Policy{}, joiner.Observation{}, statusOf(voters(3, 3)), 0},
		{"two of three", joiner.Policy{}, joiner.Observation{}, statusOf(voters(3, 2)), 3},
		{"one", joiner.Policy{}, joiner.Observation{}, statusOf(voters(1, 1)), 3},
		{"foreign data", joiner.Policy{}, joiner.Observation{}, statusOf(both), 78},
		{"nobody answers", joiner.Policy{Endpoints: true}, joiner.Observation{}, joiner.Status{}, 75},
		{"not configured", joiner.Policy{}, joiner.Observation{}, joiner.Status{}, 6},
	} {
		code := 0
		if err, failed := statusEnd(c.p, c.o, c.s).(*failure); failed {
			code = err.code
		}
		if code != c.code {
			t.Errorf("%s: got %d, want %d", c.name, code, c.code)
		}
	}
}

// TestLooks: whoever asks about a cluster elsewhere is not told of an etcd that
// happens to run at the default port here.
func TestLooks(t *testing.T) {
	for _, c := range []struct {
		name      string
		endpoints []string
		announces bool
		want      int
	}{
		{"a cluster elsewhere", []string{"http://10.0.0.1:2379"}, false, 0},
		{"its member", []string{"http://10.0.0.1:2379"}, true, 1},
		{"whatever is here", nil, false, 1},
	} {
		s := looks(settings{endpoints: c.endpoints, policy: joiner.Policy{Announces: c.announces, PeerURLs: []string{defaultPeerURL}}})
		if len(s.policy.PeerURLs) != c.want || !s.thorough {
			t.Errorf("%s: got %q, thorough %v", c.name, s.policy.PeerURLs, s.thorough)
		}
	}
}
