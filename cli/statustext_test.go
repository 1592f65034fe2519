package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

func statusOf(change func(*joiner.Cluster)) joiner.Status {
	c := joiner.Cluster{ID: 0xc1, Version: joiner.Version{Major: 3, Minor: 6}, Leader: 1, Term: 7, Members: []joiner.Member{
		{ID: 1, Name: "n1", PeerURLs: []string{"http://10.0.0.1:2380"}, ClientURLs: []string{"x"}, Version: joiner.Version{Major: 3, Minor: 6}, DBSize: 25_300_000,
			Health: joiner.Health{Reached: "x", Match: 100, Following: true}},
		{ID: 2, Name: "n2\x1b[31m", PeerURLs: []string{"http://10.0.0.2:2380"}, ClientURLs: []string{"x"}, Alarms: []string{"NOSPACE"},
			Health: joiner.Health{Match: 60}},
		{ID: 3, PeerURLs: []string{"http://10.0.0.3:2380"}, Learner: true},
	}}
	if change != nil {
		change(&c)
	}
	s, _ := joiner.StatusOf(joiner.Policy{PeerURLs: []string{"http://10.0.0.1:2380"}}, joiner.Observation{Clusters: []joiner.Cluster{c}})
	return s
}

func TestStatusText(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*joiner.Cluster)
		want   string
	}{
		{"a cluster in trouble", nil, `cluster c1, version 3.6, term 7

  MEMBER  NAME              ROLE     ETCD     DB       PEER URLS             HEALTH
  1       "n1" (this host)  leader   3.6      25.3 MB  http://10.0.0.1:2380  answers, follows the log
  2       "n2\x1b[31m"      voter    unknown  ?        http://10.0.0.2:2380  NOSPACE, does not answer this host, 40 entries behind
  3       ""                learner  unknown  ?        http://10.0.0.3:2380  never started

1 of 2 voters healthy: no fault tolerance left, the next failure takes the quorum
`},
		{"an intent", func(c *joiner.Cluster) {
			c.Members = c.Members[:1]
			c.Intent = &joiner.Intent{Name: "n9", Purpose: joiner.ToJoin, Replaces: 2, Left: joiner.Duration(90 * time.Second)}
		}, `"n9" is changing the membership (join, replaces 2, 1m30s left). 1 of 1 voter healthy: no fault`},
		{"no proof", func(c *joiner.Cluster) { c.NoProof = "refused" }, "1 of 2 voters answer this host (the leader's word is not to be had: refused)"},
		{"no intents", func(c *joiner.Cluster) { c.NoIntent = "denied" }, "hosts cannot tell each other that they change the membership: denied. 1 of 2"},
	} {
		var b strings.Builder
		if err := statusText(&b, statusOf(c.change)); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: got %v\n%s\nwant\n%s", c.name, err, b.String(), c.want)
		}
	}
}

func TestStatusJSON(t *testing.T) {
	var b strings.Builder
	if err := statusJSON(&b, statusOf(nil)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"tolerance": -1`, `"lag": 40`, `"following": true`, `"db_size": 25300000`, `"alarms": []`, `"intent": null`, `"self": true`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, b.String())
		}
	}
}
