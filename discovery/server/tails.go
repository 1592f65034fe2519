package server

import (
	"context"
	"sync"
)

// tails tell those who wait for a token of its changes. Each change is read
// once, however many wait: one address may have thousands of long polls, at a
// token that is long to read.
type tails struct {
	store Store

	mu      sync.Mutex
	byToken map[string]*tail
}

// tail follows one token while somebody listens. It keeps nothing that was read
// but for who has not taken it yet.
type tail struct {
	listeners map[chan Directory]struct{}
	index     uint64             // of the newest that was told
	stop      context.CancelFunc // nil = nobody follows yet
}

// listener is one who waits for changes of a token.
type listener struct {
	tails *tails
	token string
	tail  *tail
	news  chan Directory // the newest, closed where the store failed
}

// listen begins to listen, before the listener reads the token itself, so that
// no change falls in between.
func (s *tails) listen(token string) *listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byToken == nil {
		s.byToken = map[string]*tail{}
	}
	if s.byToken[token] == nil {
		s.byToken[token] = &tail{listeners: map[chan Directory]struct{}{}}
	}
	l := &listener{tails: s, token: token, tail: s.byToken[token], news: make(chan Directory, 1)}
	l.tail.listeners[l.news] = struct{}{}
	return l
}

// leave ends listening, and with the last listener the following.
func (l *listener) leave() {
	l.tails.mu.Lock()
	defer l.tails.mu.Unlock()
	delete(l.tail.listeners, l.news)
	if len(l.tail.listeners) == 0 {
		l.tails.forget(l.token, l.tail)
	}
}

// knows is told what the listener has read itself. The token is followed from
// there, and whoever read it before that is told.
func (l *listener) knows(dir Directory) {
	l.tails.mu.Lock()
	defer l.tails.mu.Unlock()
	l.tail.tell(dir, l.news)
	if l.tail.stop == nil {
		var ctx context.Context
		ctx, l.tail.stop = context.WithCancel(context.Background())
		go l.tails.follow(ctx, l.token, l.tail, dir.Index)
	}
}

// next waits for a change. It is false when the context ends before, or the
// store fails.
func (l *listener) next(ctx context.Context) (Directory, bool) {
	select {
	case dir, ok := <-l.news:
		return dir, ok
	case <-ctx.Done():
		return Directory{}, false
	}
}

func (s *tails) follow(ctx context.Context, token string, t *tail, after uint64) {
	for {
		dir, err := s.change(ctx, token, after)
		if err != nil {
			s.end(token, t)
			return
		}
		s.mu.Lock()
		t.tell(dir, nil)
		s.mu.Unlock()
		after = dir.Index
	}
}

// end lets all go who listen; they come again.
func (s *tails) end(token string, t *tail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for news := range t.listeners {
		close(news)
	}
	clear(t.listeners)
	s.forget(token, t)
}

func (s *tails) change(ctx context.Context, token string, after uint64) (Directory, error) {
	if err := s.store.Wait(ctx, token, after); err != nil {
		return Directory{}, err
	}
	return s.store.Load(ctx, token)
}

// forget lets a tail go that nobody listens to any more. s.mu is held.
func (s *tails) forget(token string, t *tail) {
	if s.byToken[token] == t {
		delete(s.byToken, token)
	}
	if t.stop != nil {
		t.stop()
	}
}

// tell gives all but one listener what is new, in place of what they have not
// taken yet. tails.mu is held.
func (t *tail) tell(dir Directory, but chan Directory) {
	if dir.Index <= t.index {
		return
	}
	t.index = dir.Index
	for news := range t.listeners {
		select {
		case <-news:
		default:
		}
		if news != but {
			news <- dir
		}
	}
}
