package etcdapi

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

func TestChanges(t *testing.T) {
	seen := joiner.Member{ID: 2, PeerURLs: []string{"http://127.9.9.2:1"}}
	moved := joiner.Member{ID: 2, PeerURLs: []string{"http://127.9.9.3:1"}}
	gone := joiner.Member{ID: 5, PeerURLs: []string{"http://127.9.9.5:1"}}
	two := []string{"http://127.9.9.4:1", "http://127.9.9.4:2"}
	add := func(cluster joiner.ID, urls ...string) func(*API) error {
		return func(a *API) error { return a.Add(t.Context(), cluster, urls, false, Under{}) }
	}
	remove := func(m joiner.Member) func(*API) error {
		return func(a *API) error { return a.Remove(t.Context(), 0xc1, m, Under{}) }
	}
	update := func(m joiner.Member, urls ...string) func(*API) error {
		return func(a *API) error { return a.Update(t.Context(), 0xc1, m, urls, Under{}) }
	}
	tests := []struct {
		name      string
		do        func(*API) error
		told      []string
		deaf, sly bool
		err       string
	}{
		{name: "add", do: add(0xc1, two...), told: []string{"POST /v2/members"}},
		{name: "add what is there", do: add(0xc1, seen.PeerURLs...)},
		{name: "add to another cluster", do: add(0xc2, two...), err: "is in cluster c1"},
		{name: "add, refused", do: add(0xc1, two...), told: []string{"POST /v2/members"}, deaf: true, err: "500 Internal Server Error"},
		{name: "add, done and refused", do: add(0xc1, two...), told: []string{"POST /v2/members"}, sly: true},
		{name: "remove", do: remove(seen), told: []string{"DELETE /v2/members/2"}},
		{name: "remove who moved", do: remove(moved), err: "its peer URLs are"},
		{name: "remove who is gone", do: remove(gone)},
		{name: "remove, refused", do: remove(seen), told: []string{"DELETE /v2/members/2"}, deaf: true, err: "500"},
		{name: "remove, done and refused", do: remove(seen), told: []string{"DELETE /v2/members/2"}, sly: true},
		{name: "update", do: update(seen, two...), told: []string{"PUT /v2/members/2"}},
		{name: "update who moved there", do: update(moved, seen.PeerURLs...)},
		{name: "update who moved elsewhere", do: update(moved, two...), err: "its peer URLs are"},
		{name: "update who is gone", do: update(gone, two...), err: "not a member any more"},
		{name: "update, done and refused", do: update(seen, two...), told: []string{"PUT /v2/members/2"}, sly: true},
	}
	t.Run("the machine slept after it renewed the intent", func(t *testing.T) {
		f := pair(t, seen.PeerURLs, nil)
		a := newTestAPI(t, patient, f.url)
		now := time.Now()
		a.wall = func() time.Time { now = now.Add(time.Minute); return now }
		if err := add(0xc1, two...)(a); err == nil || !strings.Contains(err.Error(), "the clock went 1m0s") || len(f.told()) > 0 {
			t.Errorf("told to %q: %v", f.told(), err)
		}
	})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := pair(t, seen.PeerURLs, nil)
			f.deaf, f.sly = test.deaf, test.sly
			err := test.do(newTestAPI(t, patient, f.url))
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error is %v, want %q", err, test.err)
			}
			if told := f.told(); !slices.Equal(told, test.told) {
				t.Errorf("told to %q, want %q", told, test.told)
			}
		})
	}
}

// TestVictimIsNotAsked removes the leader through the other member, and
// through itself when there is nobody else.
func TestVictimIsNotAsked(t *testing.T) {
	victim, other := pair(t, []string{"http://127.9.9.2:1"}, nil), newFake(t, 2)
	other.members, other.leader = slices.Clone(victim.members), 1
	endpoints := []string{victim.url, other.url}
	for range 3 { // whoever answers first
		if err := newTestAPI(t, patient, endpoints...).Remove(t.Context(), 0xc1, victim.members[0], Under{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(victim.told()) != 0 || len(other.told()) != 1 {
		t.Errorf("told %q, and the victim %q", other.told(), victim.told())
	}
	if err := newTestAPI(t, patient, victim.url).Remove(t.Context(), 0xc1, victim.members[0], Under{}); err != nil || len(victim.told()) != 1 {
		t.Errorf("told %q: %v", victim.told(), err)
	}
}

func TestNoEndpoint(t *testing.T) {
	err := newTestAPI(t, patient).Add(t.Context(), 0xc1, []string{"http://127.9.9.2:1"}, false, Under{})
	if err == nil || !strings.Contains(err.Error(), "add member") || !strings.Contains(err.Error(), "cluster c1 with a quorum answers: no client URL is known") {
		t.Errorf("error is %v", err)
	}
}
