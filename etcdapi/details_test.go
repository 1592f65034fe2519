package etcdapi

import (
	"slices"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/sttts/elastic-etcd/joiner"
)

func TestInFull(t *testing.T) {
	for s, want := range map[string]string{
		"3.6.16": "3.6.16", "v3.7.0-rc.1": "3.7.0-rc.1", " 2.3.8\n": "2.3.8", "3.6": "", "": "", "3.6.1-" + strings.Repeat("x", 40): "",
	} {
		if got := inFull(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

// TestDetails: a member's client port and its peer port answer in any order.
func TestDetails(t *testing.T) {
	own := detailsOf(&pb.StatusResponse{DbSize: 20, DbSizeInUse: 10, RaftIndex: 7, RaftAppliedIndex: 6})
	client := answer{own: own, versions: versions{full: "3.6.16"}}
	peer := answer{versions: versions{full: "3.6.16"}}
	want := joiner.Details{Version: "3.6.16", DBSize: 20, DBInUse: 10, Committed: 7, Applied: 6}
	for name, order := range map[string][]answer{"client first": {client, peer}, "peer first": {peer, client}} {
		var got joiner.Details
		for _, ans := range order {
			got = ans.details(got)
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	if got := (answer{own: own}).details(joiner.Details{Version: "3.6.16"}); got != want {
		t.Errorf("without a version of its own: got %+v, want %+v", got, want)
	}
}

// TestAwaited: who decides at boot does not wait for its own member.
func TestAwaited(t *testing.T) {
	list := []joiner.Member{
		{ID: 1, PeerURLs: []string{"http://own:2380"}, ClientURLs: []string{"x"}},
		{ID: 2, PeerURLs: []string{"http://other:2380"}, ClientURLs: []string{"x"}},
		{ID: 3, PeerURLs: []string{"http://learner:2380"}, ClientURLs: []string{"x"}, Learner: true},
		{ID: 4, PeerURLs: []string{"http://unstarted:2380"}},
	}
	for thorough, want := range map[bool][]joiner.ID{false: {2, 3}, true: {1, 2, 3}} {
		var got []joiner.ID
		for _, m := range (&API{own: []string{"http://own:2380"}, thorough: thorough}).awaited(list) {
			got = append(got, m.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("thorough %v: got %s, want %s", thorough, got, want)
		}
	}
}

// TestViewMeets: without a quorum it is still seen who answers.
func TestViewMeets(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, []string{"http://127.9.9.2:2"})
	f.leader = 0
	s := newTestAPI(t, patient, f.url).Look(t.Context(), Where{})
	if len(s.Views) != 1 || len(s.Views[0].Members) != 2 {
		t.Fatalf("saw %+v", s)
	}
	one, two := s.Views[0].Members[0], s.Views[0].Members[1]
	if one.Health.Reached != f.url || one.Details.Version != "2.3.8" || two.Health.Reached != "" || !two.Health.Refused {
		t.Errorf("got %+v and %+v", one, two)
	}
}
