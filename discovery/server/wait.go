package server

import (
	"context"
	"net/http"
	"time"
)

// sendTime is what a client gets to take its answer once there is one.
const sendTime = 10 * time.Second

// wait serves a long poll: the first registration with an index of at least
// waitIndex, be it long stored or still to come. The entries themselves are
// the history, so a client may ask for any index, also after a restart.
//
// The header goes out at once, as etcd does it. A poll that ends without an
// event has an empty body; etcd's clients then ask again.
func (s *Server) wait(w http.ResponseWriter, r *http.Request, t target, q query) error {
	if s.closing.Err() != nil {
		return unavailable("shutting down")
	}
	leave, ok := s.waiters.enter(t.token, network(r.RemoteAddr), most{s.options.MaxWaiters, s.options.MaxWaitersPerToken, s.options.MaxWaitersPerAddress})
	if !ok {
		return unavailable("too many wait already")
	}
	defer leave()
	l := s.tails.listen(t.token)
	defer l.leave()
	dir, err := s.store.Load(r.Context(), t.token)
	if err != nil {
		return storeError(err, t, 0)
	}
	l.knows(dir)
	s.poll(w, r, l, t, q, dir)
	return nil
}

// poll answers as soon as there is an event, with nothing when the time is up.
func (s *Server) poll(w http.ResponseWriter, r *http.Request, l *listener, t target, q query, dir Directory) {
	if q.waitIndex == 0 {
		q.waitIndex = dir.Index + 1
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.options.PollTimeout)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()

	sendHeader(w, dir.Index, s.options.PollTimeout+sendTime)
	if e, ok := l.event(ctx, t, q, dir); ok {
		body, _ := toJSON(event{Action: "create", Node: e.node(t.token)}) // never fails
		_, _ = w.Write(body)                                              // fails where the client is gone
	}
}

// sendHeader tells the client that it is being served, and gives it the time a
// poll takes, beyond the write timeout of the http.Server; the read timeout
// ends with the request.
func sendHeader(w http.ResponseWriter, index uint64, d time.Duration) {
	if r, ok := w.(*recorder); ok {
		r.polled = true
	}
	rc := http.NewResponseController(w)
	// Not every ResponseWriter can do these, and then they are not needed.
	_ = rc.SetWriteDeadline(time.Now().Add(d))
	setIndex(w, index)
	w.WriteHeader(http.StatusOK)
	_ = rc.Flush()
}

// event returns the event a client waits for, or false when the context ends
// before it comes. A store that fails ends the poll too: the client asks again
// and is told then. While it waits it keeps nothing of what it has seen.
func (l *listener) event(ctx context.Context, t target, q query, dir Directory) (Entry, bool) {
	for {
		if e, ok := firstEvent(dir, t, q); ok {
			return e, true
		}
		var ok bool
		if dir, ok = l.next(ctx); !ok {
			return Entry{}, false
		}
	}
}

// firstEvent looks for what a poll shows: on a directory every registration in
// it, but with recursive only, and on a member its own.
func firstEvent(dir Directory, t target, q query) (Entry, bool) {
	if dir.Index < q.waitIndex {
		return Entry{}, false
	}
	for _, e := range dir.Entries {
		match := t.kind == kindDir && q.recursive || t.kind == kindMember && t.member == e.ID
		if match && e.Index >= q.waitIndex {
			return e, true
		}
	}
	return Entry{}, false
}
