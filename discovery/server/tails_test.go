package server

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"weak"
)

// counting counts how often a store is asked.
type counting struct {
	Store
	loads, waits atomic.Int64
}

func (c *counting) Load(ctx context.Context, token string) (Directory, error) {
	c.loads.Add(1)
	return c.Store.Load(ctx, token)
}

func (c *counting) Wait(ctx context.Context, token string, after uint64) error {
	c.waits.Add(1)
	return c.Store.Wait(ctx, token, after)
}

// counts has a service count how often its store is asked.
func (s *service) counts() *counting {
	c := &counting{Store: s.store}
	s.srv.store, s.srv.tails.store = c, c
	return c
}

// One change costs one look at the store, however many wait for others.
func TestManyWaitForOneReader(t *testing.T) {
	const polls, changes = 50, 20
	s := startService(t, Options{})
	token := s.newToken("1")
	c := s.counts()
	var far []poll
	for range polls {
		far = append(far, s.poll(fmt.Sprintf("%s?wait=true&recursive=true&waitIndex=%d", token, changes+1)))
	}
	if n := c.loads.Load(); n != polls {
		t.Errorf("%d polls began with %d looks", polls, n)
	}
	for i := range changes {
		s.put(fmt.Sprintf("%s/%x", token, i+1), numbered(i))
	}
	for _, p := range far {
		if got := p.value(); got != numbered(changes-1) {
			t.Errorf("it saw %q", got)
		}
	}
	if n := c.loads.Load() - polls; n > changes {
		t.Errorf("%d changes cost %d looks", changes, n)
	}
	if n := c.waits.Load(); n > changes+1 {
		t.Errorf("%d changes cost %d waits", changes, n)
	}
}

// A change between a listener's own look and that of another is told to the
// one who does not know it.
func TestWhoReadBeforeIsTold(t *testing.T) {
	ts := tails{store: &counting{Store: &silent{}}}
	early, late := ts.listen("t"), ts.listen("t")
	defer early.leave()
	defer late.leave()
	late.knows(Directory{Index: 6})
	early.knows(Directory{Index: 5})
	if dir, ok := early.next(t.Context()); !ok || dir.Index != 6 {
		t.Errorf("told %+v, %v", dir, ok)
	}
	if len(late.news) != 0 {
		t.Error("who read it is told too")
	}
}

// silent is a store in which nothing happens.
type silent struct{ Store }

func (silent) Wait(ctx context.Context, _ string, _ uint64) error {
	<-ctx.Done()
	return ctx.Err()
}

// broken is a store that fails as soon as it is told to.
type broken struct {
	Store
	fail chan struct{}
}

func (b broken) Wait(context.Context, string, uint64) error {
	<-b.fail
	return errors.New("broken")
}

// A store that fails lets all go; who comes later begins anew.
func TestAStoreThatFailsLetsGo(t *testing.T) {
	b := broken{fail: make(chan struct{})}
	ts := tails{store: b}
	var all []*listener
	for range 3 {
		l := ts.listen("t")
		l.knows(Directory{Index: 1})
		all = append(all, l)
	}
	close(b.fail)
	for _, l := range all {
		if dir, ok := l.next(t.Context()); ok {
			t.Errorf("told %+v", dir)
		}
	}
	if l := ts.listen("t"); l.tail == all[0].tail {
		t.Error("the tail that ended is still there")
	}
	for _, l := range all {
		l.leave()
	}
	if len(ts.byToken) != 1 {
		t.Errorf("%d tails", len(ts.byToken))
	}
}

// Listeners come and go while the token changes, and none misses the last
// change.
func TestListenersComeAndGo(t *testing.T) {
	const changes = 100
	s := startService(t, Options{})
	token := s.newToken("1")[1:]
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for seen := uint64(0); seen < changes; {
				l := s.srv.tails.listen(token)
				dir, err := s.store.Load(t.Context(), token)
				if err != nil {
					t.Error(err)
				}
				l.knows(dir)
				if seen = dir.Index; seen < changes {
					dir, _ = l.next(t.Context())
				}
				if dir.Index < seen {
					t.Errorf("%d after %d", dir.Index, seen)
				}
				l.leave()
			}
		})
	}
	for i := range changes {
		if _, _, err := s.store.Register(t.Context(), token, fmt.Sprintf("%x", i+1), numbered(i), changes); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
	if n := len(s.srv.tails.byToken); n != 0 {
		t.Errorf("%d tails are left", n)
	}
}

// seen keeps an eye on what was read of a store.
type seen struct {
	Store
	first atomic.Pointer[weak.Pointer[Entry]]
}

func (s *seen) Load(ctx context.Context, token string) (Directory, error) {
	dir, err := s.Store.Load(ctx, token)
	if err == nil && len(dir.Entries) > 0 {
		w := weak.Make(&dir.Entries[0])
		s.first.Store(&w)
	}
	return dir, err
}

// Many who wait hold no copies of a long token.
func TestWhoWaitsHoldsNothing(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("2")
	s.put(token+"/1", "a=http://a:1")
	eye := &seen{Store: s.store}
	s.srv.store, s.srv.tails.store = eye, eye
	p := s.poll(token + "?wait=true&recursive=true")
	eventually(t, "what was read to be let go", func() bool {
		runtime.GC()
		return eye.first.Load().Value() == nil
	})
	s.put(token+"/2", "b=http://b:1")
	if got := p.value(); got != "b=http://b:1" {
		t.Errorf("it saw %q", got)
	}
}
