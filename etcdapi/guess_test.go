package etcdapi

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

// TestGuess has an etcd at the client port that is guessed of a peer port. It
// counts only where it is known to be of that member's cluster.
func TestGuess(t *testing.T) {
	const peer = "http://127.0.0.1:3" // nobody is there
	tests := map[string]struct {
		where  Where
		member string // a peer URL of the fake's only member
		counts bool
		named  bool
	}{
		"of a name":          {Where{Peers: []string{peer}}, peer, true, true},
		"of a registration":  {Where{Registered: []string{peer}}, peer, true, false},
		"another etcd":       {Where{Peers: []string{peer}}, "http://127.0.0.1:4", false, false},
		"another, two peers": {Where{Registered: []string{"http://127.0.0.1:5", peer}}, "http://127.0.0.1:4", false, false},
		"of the second peer": {Where{Registered: []string{"http://127.0.0.1:5", peer}}, peer, true, false},
		"of our data":        {Where{Registered: []string{peer}, Data: 0xc1}, "http://127.0.0.1:4", true, false},
		"of our data, named": {Where{Peers: []string{peer}, Data: 0xc1}, "http://127.0.0.1:4", true, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1)
			f.members = []joiner.Member{{ID: 1, PeerURLs: []string{test.member}, ClientURLs: []string{f.url}}}
			a := newTestAPI(t, patient)
			a.clientPort = portOf(t, f.url)
			for range 2 { // what is remembered vouches for nothing
				s := a.Look(t.Context(), test.where)
				if (len(s.Clusters) == 1) != test.counts || test.counts && s.Clusters[0].Named != test.named {
					t.Errorf("clusters %+v", s.Clusters)
				}
				if told := strings.Contains(failureOf(s, f.url), "does not count"); told == test.counts {
					t.Errorf("failures %+v", s.Failures)
				}
			}
		})
	}
}

// TestGuessVouchedFor has the peer port that a client port was guessed for
// answer for the same cluster, or for another one.
func TestGuessVouchedFor(t *testing.T) {
	for cluster, counts := range map[string]bool{"c1": true, "c2": false} {
		f := newFake(t, 1)
		f.members = []joiner.Member{{ID: 1, PeerURLs: []string{"http://127.9.9.1:4"}, ClientURLs: []string{"http://127.9.9.1:5"}}}
		peer := httptest.NewServer(say(cluster, `[{"id":1,"peerURLs":["http://127.9.9.1:4"]}]`))
		defer peer.Close()
		a := newTestAPI(t, patient)
		a.clientPort = portOf(t, f.url)
		if s := a.Look(t.Context(), Where{Peers: []string{peer.URL}}); (len(s.Clusters) == 1) != counts {
			t.Errorf("%s: %+v", cluster, s)
		}
	}
}

// TestOwnGuess: status asks who is on this host, as etcdctl does.
func TestOwnGuess(t *testing.T) {
	const here, elsewhere = "http://127.0.0.1:3", "http://127.9.9.9:4"
	for _, test := range []struct {
		thorough bool
		own      string
		counts   bool
	}{{true, here, true}, {true, elsewhere, false}, {false, here, false}} {
		f := newFake(t, 1)
		f.members = []joiner.Member{{ID: 1, PeerURLs: []string{"http://127.9.9.1:4"}, ClientURLs: []string{f.url}}}
		a := newTestAPI(t, patient)
		a.clientPort, a.thorough, a.own = portOf(t, f.url), test.thorough, []string{test.own}
		if s := a.Look(t.Context(), Where{Registered: []string{here}}); (len(s.Clusters) == 1) != test.counts {
			t.Errorf("%+v: %+v", test, s)
		}
	}
}

// TestOwnGuessBarsNobody: what runs at a port of this host that was but guessed
// is nobody's business.
func TestOwnGuessBarsNobody(t *testing.T) {
	const here, elsewhere = "http://127.0.0.1:3", "http://127.9.9.9:4"
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	at := strings.Replace(server.URL, "https", "http", 1)
	for _, test := range []struct {
		own       string
		endpoints []string
		bar       joiner.Reason
	}{{here, nil, ""}, {elsewhere, nil, joiner.TLSFailed}, {here, []string{at}, joiner.TLSFailed}} {
		a := newTestAPI(t, patient, test.endpoints...)
		a.clientPort, a.own = portOf(t, at), []string{test.own}
		if s := a.Look(t.Context(), Where{Registered: []string{here}}); barOf(s) != test.bar {
			t.Errorf("%+v: %+v", test, s.Failures)
		}
	}
}

// TestFailureOf says of an address that fails who vouches for it.
func TestFailureOf(t *testing.T) {
	const member, stale = "http://127.9.9.2:2", "http://127.9.9.7:2"
	f := pair(t, []string{stale}, []string{member})
	peer := httptest.NewServer(say("c1", fmt.Sprintf(`[{"id":2,"peerURLs":["http://127.9.9.2:1"],"clientURLs":[%q]}]`, member)))
	defer peer.Close()
	for name, test := range map[string]struct {
		where Where
		url   string
		want  joiner.Failure
	}{
		"registered":                    {Where{Registered: []string{stale}}, stale, joiner.Failure{}},
		"guessed of it":                 {Where{Registered: []string{stale}}, "http://127.9.9.7:1", joiner.Failure{For: stale}},
		"named":                         {Where{Peers: []string{stale}}, stale, joiner.Failure{Named: true}},
		"guessed of that":               {Where{Peers: []string{stale}}, "http://127.9.9.7:1", joiner.Failure{Named: true, For: stale}},
		"of a member that we found":     {Where{Registered: []string{peer.URL}}, member, joiner.Failure{Of: []joiner.ID{0xc1}}},
		"of a member that a name leads": {Where{Clients: []string{f.url}}, member, joiner.Failure{Named: true, Of: []joiner.ID{0xc1}}},
	} {
		s := newTestAPI(t, patient).Look(t.Context(), test.where)
		i := slices.IndexFunc(s.Failures, func(f joiner.Failure) bool { return f.URL == test.url })
		if i < 0 {
			t.Fatalf("%s: %+v", name, s.Failures)
		}
		got := s.Failures[i]
		got.URL, got.Error = "", ""
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func portOf(t *testing.T, raw string) int {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
