package etcdapi

import (
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

// TestRemovedIsLeftAlone: an etcd may die of a question while it is removed.
func TestRemovedIsLeftAlone(t *testing.T) {
	two := newFake(t, 2)
	one := pair(t, []string{"http://127.9.9.2:1"}, []string{two.url})
	two.leader, two.members = 1, one.members
	a := newTestAPI(t, patient, one.url, two.url)
	c, _ := lookAt(t, a)
	m := c.Members[1]
	if m.Health.Reached != two.url {
		t.Fatalf("not met before: %+v", m.Health)
	}
	if err := a.Remove(t.Context(), c.ID, m, Under{}); err != nil {
		t.Fatal(err)
	}
	two.mu.Lock()
	before := two.asked
	two.mu.Unlock()
	lookAt(t, a)
	if err := a.Add(t.Context(), c.ID, []string{"http://127.9.9.3:1"}, false, Under{}); err != nil {
		t.Fatal(err)
	}
	two.mu.Lock()
	defer two.mu.Unlock()
	if two.asked != before {
		t.Errorf("it was asked %d times", two.asked-before)
	}
	if len(one.told()) != 2 || a.isRemoved(contact{clientPort, one.url}) {
		t.Errorf("the other was told %q", one.told())
	}
}

// TestOnlyOneIsRemoved: several members may advertise one URL.
func TestOnlyOneIsRemoved(t *testing.T) {
	f := pair(t, []string{"http://127.9.9.2:1"}, nil)
	f.members[1].ClientURLs = []string{f.url}
	a := newTestAPI(t, patient, f.url)
	c, _ := lookAt(t, a)
	if err := a.Remove(t.Context(), c.ID, joiner.Member{ID: 2, PeerURLs: c.Members[1].PeerURLs, ClientURLs: c.Members[1].ClientURLs}, Under{}); err != nil {
		t.Fatal(err)
	}
	lookAt(t, a)
}
