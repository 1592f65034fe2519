package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v2"
)

// poll is a long poll that is being served: its header is here, its body not.
type poll struct {
	t    *testing.T
	resp *http.Response
}

func (s *service) poll(path string) poll {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	s.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", s.http.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatalf("poll %s: no header: %v", path, err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	return poll{s.t, resp}
}

// value waits for the end of the poll and returns the value of its event, ""
// if it has none.
func (p poll) value() string {
	p.t.Helper()
	body, err := io.ReadAll(p.resp.Body)
	if err != nil {
		p.t.Fatalf("poll: %v", err)
	}
	if len(body) == 0 {
		return ""
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil || e.Action != "create" || e.PrevNode != nil {
		p.t.Fatalf("poll: %v: %s", err, body)
	}
	return *e.Node.Value
}

func TestPollSeesWhatComesNext(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("3")
	s.put(token+"/1", "first=http://first:1")
	polls := []poll{
		s.poll(token + "?wait=true&recursive=true"),
		s.poll(token + "/?wait=true&recursive=true&waitIndex=3"),
		s.poll(token + "?wait=true&recursive=true&waitIndex=4"),
		s.poll(token + "/3?wait=true"), // not there yet
		s.poll(token + "/3?wait=true&waitIndex=1"),
	}
	if got := polls[0].resp.Header.Get("X-Etcd-Index"); got != "2" {
		t.Errorf("X-Etcd-Index %q, want that of the start", got)
	}
	other := s.newToken("3")
	s.put(other+"/3", "another=http://another:1")
	s.put(token+"/2", "second=http://second:1")
	s.put(token+"/3", "third=http://third:1")
	for i, want := range []string{"second=http://second:1", "second=http://second:1", "third=http://third:1", "third=http://third:1", "third=http://third:1"} {
		if got := polls[i].value(); got != want {
			t.Errorf("poll %d: %q, want %q", i, got, want)
		}
	}
}

func TestPollSeesHistory(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("2")
	for i, value := range []string{"first=http://first:1", "second=http://second:1", "third=http://third:1"} {
		s.put(fmt.Sprintf("%s/%x", token, 15-i), value)
	}
	for query, want := range map[string]string{
		"?waitIndex=1": "first=http://first:1", "?waitIndex=2": "first=http://first:1", "?waitIndex=3": "second=http://second:1", "?waitIndex=4": "third=http://third:1", "/e?waitIndex=1": "second=http://second:1"} {
		if got := s.poll(token + query + "&wait=true&recursive=true").value(); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// etcd's client takes every event under the token for a new member.
func TestPollIsNotToldOfTheSizeOrARemoval(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("1")
	p := s.poll(token + "?wait=true&recursive=true&waitIndex=1")
	s.put(token+"/1", "first=http://first:1")
	if got := p.value(); got != "first=http://first:1" {
		t.Errorf("from index 1: %q", got)
	}
	s.put(token+"/2", "second=http://second:1")
	p = s.poll(token + "?wait=true&recursive=true")
	if re := s.do("DELETE", token+"/2", nil); re.status != 200 {
		t.Fatalf("DELETE: %d %s", re.status, re.body)
	}
	s.put(token+"/3", "third=http://third:1")
	if got := p.value(); got != "third=http://third:1" {
		t.Errorf("over a removal: %q", got)
	}
}

func TestPollEndsEmptyAtItsTimeout(t *testing.T) {
	s := startService(t, Options{PollTimeout: 10 * time.Millisecond})
	token := s.newToken("2")
	s.put(token+"/1", "first=http://first:1")
	for _, query := range []string{
		"?wait=true&recursive=true", "?wait=true&recursive=true&waitIndex=18446744073709551615",
		"?wait=true&waitIndex=1", "/_config/size?wait=true&waitIndex=1", "/2?wait=true",
	} {
		if got := s.poll(token + query).value(); got != "" {
			t.Errorf("%s: %q", query, got)
		}
	}
}

// Over many empty answers, etcd's client neither fails nor misses the event.
func TestEtcdsClientPollsOn(t *testing.T) {
	s := startService(t, Options{PollTimeout: time.Millisecond})
	token := s.newToken("2")
	w := s.keys().Watcher(token, &client.WatcherOptions{AfterIndex: 1, Recursive: true})
	got := make(chan *client.Response)
	go func() {
		e, err := w.Next(t.Context())
		if err != nil {
			t.Errorf("watch: %v", err)
		}
		got <- e
	}()
	for range 20 { // each takes its millisecond, the client's polls too
		s.poll(token + "?wait=true").value()
	}
	s.put(token+"/1", "first=http://first:1")
	select {
	case e := <-got:
		if e == nil || e.Node.Value != "first=http://first:1" {
			t.Errorf("event: %+v", e)
		}
	case <-time.After(patience):
		t.Error("no event")
	}
}

func TestPollRefusesBadQueries(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("2")
	for query, code := range map[string]int{
		"wait=perhaps": 209, "wait=true&recursive=2": 209, "sorted=x": 209, "quorum=x": 209, "wait=true&stream=true": 209,
		"wait=true&waitIndex=-1": 203, "wait=true&waitIndex=x": 203, "waitIndex=18446744073709551616": 203,
		"a;b": 210, "%zz": 210,
	} {
		if re := s.do("GET", token+"?"+query, nil); re.status != 400 || re.errorCode() != code {
			t.Errorf("%s: %d %s", query, re.status, re.body)
		}
	}
}

func TestCloseLetsPollsGo(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("2")
	p := s.poll(token + "?wait=true&recursive=true")
	s.srv.Close()
	if got := p.value(); got != "" {
		t.Errorf("poll: %q", got)
	}
	if re := s.do("GET", token+"?wait=true", nil); re.status != 503 {
		t.Errorf("new poll: %d %s", re.status, re.body)
	}
	s.put(token+"/1", "a=http://still:1")
}

func TestAClientThatLeavesIsForgotten(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("2")
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "GET", s.http.URL+token+"?wait=true", nil)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	subscribed := func() bool { return s.store.changes.Waiting() > 0 }
	eventually(t, "the poll to be subscribed", subscribed)
	cancel()
	eventually(t, "the poll to be forgotten", func() bool { return !subscribed() })
}

// eventually asks again until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
