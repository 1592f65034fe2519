package etcdapi

import (
	"os"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

// TestParseProgress reads what real servers said, cut down to the essential.
func TestParseProgress(t *testing.T) {
	tests := map[string]struct {
		leader joiner.ID
		commit uint64
	}{
		"2.3": {0x3f47be8f80f961ea, 1023},
		"3.4": {0xdc7e2b9c90c55779, 17},
		"3.5": {0xf8ec370686025c97, 17},
		"3.6": {0x224f099b71693077, 17},
		"3.7": {0xea0c4b710b76bf51, 17},
	}
	for version, want := range tests {
		p, err := parseProgress(read(t, "vars-"+version+"-leader.json"))
		if err != nil {
			t.Errorf("%s: %v", version, err)
			continue
		}
		if p.leader != want.leader || p.term != 2 || p.commit != want.commit || len(p.match) != 3 {
			t.Errorf("%s: %+v", version, p)
		}
		for id, match := range p.match {
			if match != p.commit {
				t.Errorf("%s: match of %s is %d, want %d", version, id, match, p.commit)
			}
		}
		if _, err := parseProgress(read(t, "vars-"+version+"-follower.json")); err == nil || !strings.Contains(err.Error(), "is not the leader") {
			t.Errorf("%s, follower: %v", version, err)
		}
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestNoProof(t *testing.T) {
	match := map[joiner.ID]uint64{1: 10, 2: 9}
	tests := map[string]struct{ vars, want string }{
		"no raft":        {`{}`, "no raft.status"},
		"garbage":        {`<html>`, "invalid character"},
		"a follower":     {`{"raft.status":{"id":"1","lead":"2","progress":{}}}`, "member 1 is not the leader"},
		"another leader": {vars(2, 10, match), "member 2 leads, not 1"},
		"other members":  {vars(1, 10, map[joiner.ID]uint64{1: 10}), "does not know member 2"},
	}
	for name, test := range tests {
		f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
		f.vars = []string{test.vars}
		c, _ := lookAt(t, newTestAPI(t, patient, f.url))
		if !strings.Contains(c.NoProof, test.want) || !strings.Contains(c.NoProof, f.url+"/debug/vars") {
			t.Errorf("%s: %q", name, c.NoProof)
		}
		if h := c.Members[1].Health; h.Following || h.Match != 0 {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

// TestReceiving reads what an etcd says, of each generation, while it sends a snapshot.
func TestReceiving(t *testing.T) {
	for _, state := range []string{"StateSnapshot", "ProgressStateSnapshot"} {
		f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
		f.vars = []string{`{"raft.status":{"id":"1","lead":"1","term":7,"commit":10,"progress":{
			"1":{"match":10,"next":11,"state":"StateReplicate"},"2":{"match":0,"next":1,"state":"` + state + `"}}}}`}
		c, _ := lookAt(t, newTestAPI(t, patient, f.url))
		if one, two := c.Members[0].Health, c.Members[1].Health; one.Receiving || !two.Receiving || two.Following {
			t.Errorf("%s: %+v, %+v", state, one, two)
		}
	}
}

// TestLateFollower catches up while it is watched, to the entry that was the
// newest when that began.
func TestLateFollower(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
	f.vars = []string{
		vars(1, 10, map[joiner.ID]uint64{1: 10, 2: 8}),
		vars(1, 11, map[joiner.ID]uint64{1: 11, 2: 9}),
		vars(1, 12, map[joiner.ID]uint64{1: 12, 2: 10}),
	}
	c, _ := lookAt(t, newTestAPI(t, patient, f.url))
	if h := c.Members[1].Health; !h.Following || h.Match != 10 {
		t.Errorf("%+v", h)
	}
}

// TestLeaderLost has the leader step down while it is watched.
func TestLeaderLost(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
	f.vars = []string{
		vars(1, 10, map[joiner.ID]uint64{1: 10, 2: 8}),
		`{"raft.status":{"id":"1","lead":"2","progress":{}}}`,
	}
	c, _ := lookAt(t, newTestAPI(t, patient, f.url))
	if !strings.Contains(c.NoProof, "is not the leader") {
		t.Errorf("%+v", c)
	}
}
