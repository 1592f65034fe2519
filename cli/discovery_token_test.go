package cli

import (
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
)

// Why nobody tells of a cluster is said: what does not let us in first, but for
// good only where that is a member. An address of a host that is gone may be
// somebody else's.
func TestUntold(t *testing.T) {
	down := joiner.Failure{URL: "http://h1:2379", Error: "connection refused"}
	locked := joiner.Failure{URL: "http://h2:2379", Error: "who are you", Bar: joiner.AuthRequired}
	named := locked
	named.Named = true
	for says, c := range map[string]struct {
		failures []joiner.Failure
		code     int
	}{
		"nobody tells of the cluster of http://d/t with a quorum":                              {nil, 75},
		"nobody tells of the cluster of http://d/t with a quorum: " + down.URL + ": refused":   {[]joiner.Failure{{URL: down.URL, Error: "refused"}, down}, 75},
		"nobody tells of the cluster of http://d/t with a quorum: " + locked.URL + ": who are": {[]joiner.Failure{down, locked}, 75},
		": " + locked.URL + ": who are you (give a user with the role root":                    {[]joiner.Failure{down, named}, 78},
	} {
		r := registered{d: joiner.Discovery{Kind: joiner.KindV2, Token: "http://d/t", Size: 3}}
		r.see(etcdapi.Sight{Failures: c.failures})
		if r.cluster != nil || r.untold.code != c.code || !strings.Contains(r.untold.Error(), says) {
			t.Errorf("got %v (%d), want %s (%d)", r.untold, r.untold.code, says, c.code)
		}
	}
}
