package etcdapi

import (
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// What stands under the key is whoever's, and says nothing of what this host
// can read, nor of a lease.
func TestParseIntent(t *testing.T) {
	for value, want := range map[string]joiner.Intent{
		`{"name":"n1","purpose":"join","lease":7,"revision":8,"left":"1h","unclear":"x"}`: {Name: "n1", Purpose: joiner.ToJoin},
		`{"unclear":"for ever"}`: {},
		`garbage`:                {Name: "unknown"},
	} {
		got := parseIntent([]byte(value))
		if got.Name != want.Name || got.Purpose != want.Purpose || got.Lease != 0 || got.Revision != 0 || got.Left != 0 || got.Unclear != "" {
			t.Errorf("%s: got %+v", value, got)
		}
	}
}

// An intent counts until its lease is over, in its last second too.
func TestTimeLeft(t *testing.T) {
	for ttl, want := range map[int64]time.Duration{-1: 0, 0: time.Second, 119: 2 * time.Minute} {
		if got := timeLeft(ttl); time.Duration(got) != want {
			t.Errorf("%d: %s, want %s", ttl, got, want)
		}
	}
}
