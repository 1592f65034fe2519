package e2e

import (
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/e2e/etcds"
	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
)

// TestIntentAfterNoSpace: a host that found no room for its intent still minds
// that of another one, who came when there was room again.
func TestIntentAfterNoSpace(t *testing.T) {
	s := newSite(t, 1)
	h := s.lab.Host("3.6")
	r := s.elastic(h)
	s.want(r, 0, "found")
	h.StartWith(r.Stdout, "--quota-backend-bytes=65536")
	s.lab.WaitHealthy(1, h)
	s.fill(h)
	first := watcher{t, s.lab, newAPI(t, etcdapi.Config{}), h.PeerURL()}
	second := watcher{t, s.lab, newAPI(t, etcdapi.Config{}), h.PeerURL()}
	first.claims("first")
	if c := first.cluster(); c.NoIntent == "" || c.Intent != nil {
		t.Fatalf("without space: %+v, %q", c.Intent, c.NoIntent)
	}
	h.Stop()
	h.Resume()
	s.lab.WaitHealthy(1, h)
	client := h.Client()
	if _, err := client.AlarmDisarm(t.Context(), &clientv3.AlarmMember{}); err != nil {
		t.Fatal(err)
	}
	second.claims("second")
	for _, w := range []watcher{first, second} {
		if c := w.cluster(); c.Intent == nil || c.Intent.Name != "second" {
			t.Errorf("with space: %+v, %q", c.Intent, c.NoIntent)
		}
	}
}

// TestIntentBesideLongValue: a value that is too long to be received, whoever
// wrote it, hides no intent.
func TestIntentBesideLongValue(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 1)
			h := s.lab.Host(version)
			s.found(h)
			first := watcher{t, s.lab, newAPI(t, etcdapi.Config{}), h.PeerURL()}
			second := watcher{t, s.lab, newAPI(t, etcdapi.Config{}), h.PeerURL()}
			first.claims("first")
			h.Put(joiner.BegunKey, strings.Repeat("x", 1_200_000))
			c := second.cluster()
			if strings.HasPrefix(version, "2.") {
				if c.Intent == nil || !strings.Contains(c.Intent.Unclear, joiner.BegunKey) {
					t.Errorf("%+v, %q", c.Intent, c.NoIntent)
				}
				return
			}
			if c.Intent == nil || c.Intent.Name != "first" || c.Begun == nil || c.Begun.Revision == 0 || c.NoIntent != "" {
				t.Errorf("%+v, begun %+v, %q", c.Intent, c.Begun, c.NoIntent)
			}
			h.Put(joiner.IntentKey, strings.Repeat("x", 1_200_000))
			if c := second.cluster(); c.Intent == nil || !strings.Contains(c.Intent.Unclear, "delete the key") {
				t.Errorf("%+v, %q", c.Intent, c.NoIntent)
			}
		})
	}
}

func (w watcher) claims(name string) {
	w.t.Helper()
	i := joiner.Intent{Name: name, PeerURLs: []string{"http://" + name + ":2380"}, Purpose: joiner.ToJoin}
	if err := w.api.Claim(w.t.Context(), w.cluster().ID, i); err != nil {
		w.t.Fatal(err)
	}
}
