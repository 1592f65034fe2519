// Package storetest is what every Store of the discovery service must do.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/discovery/server"
)

// patience bounds every wait. It is only ever used up by a failure.
const patience = 30 * time.Second

// Run runs all tests on a store, each with tokens of its own. Several are
// instances that share their data.
func Run(t *testing.T, stores ...server.Store) {
	for name, test := range map[string]func(*suite){
		"Register": register, "Places": places, "Refused": refused, "Remove": remove, "RemoveRaces": removeRaces, "Unknown": unknown, "Wait": waits, "WaitEnds": waitEnds,
		"OneIsCreated": oneIsCreated, "OneName": oneName, "TogetherInOrder": together, "Expire": expire, "ExpireRaces": expireRaces,
		"Long": long,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			test(&suite{t, stores[0], stores, ctx})
		})
	}
}

type suite struct {
	*testing.T
	server.Store
	all []server.Store
	ctx context.Context
}

var tokens atomic.Uint64

// token makes one that nobody had before.
func (s *suite) token(size int) string {
	s.Helper()
	token := fmt.Sprintf("%016x%016x", time.Now().UnixNano(), tokens.Add(1))
	if err := s.Create(s.ctx, token, size); err != nil {
		s.Fatal(err)
	}
	return token
}

const limit = 1000

func value(id string) string { return "m" + id + "=http://h" + id + ":2380" }

// put registers a member and wants success.
func (s *suite) put(token, id string) server.Entry {
	s.Helper()
	e, index, err := s.Register(s.ctx, token, id, value(id), limit)
	if err != nil || e.ID != id || e.Value != value(id) || e.Index == 0 || e.Index != index {
		s.Fatalf("register %s: %+v, index %d, %v", id, e, index, err)
	}
	return e
}

func (s *suite) load(token string) server.Directory {
	s.Helper()
	dir, err := s.Load(s.ctx, token)
	if err != nil {
		s.Fatal(err)
	}
	return dir
}

func register(s *suite) {
	token := s.token(3)
	empty := s.load(token)
	if empty.Size != 3 || len(empty.Entries) != 0 || empty.Index == 0 || empty.Created == 0 || empty.Created > empty.Index || empty.Complete() {
		s.Errorf("a fresh token: %+v", empty)
	}
	if err := s.Create(s.ctx, token, 5); err == nil {
		s.Error("a token was made twice")
	}
	e := s.put(token, "f")
	dir := s.load(token)
	if dir.Index != e.Index || dir.Index <= empty.Index || dir.Created != empty.Created || dir.Size != 3 || len(dir.Entries) != 1 || dir.Entries[0] != e {
		s.Errorf("after %+v: %+v", e, dir)
	}
}

func places(s *suite) {
	token := s.token(3)
	ids := []string{"ff", "1", "b", "0", "ffffffffffffffff"}
	for _, id := range ids {
		s.put(token, id)
	}
	dir := s.load(token)
	for i, id := range ids {
		if dir.Entries[i].ID != id || i > 0 && dir.Entries[i].Index <= dir.Entries[i-1].Index {
			s.Errorf("place %d: %+v, want %s", i, dir.Entries, id)
		}
	}
	if !dir.Complete() {
		s.Error("not complete")
	}
}

func refused(s *suite) {
	token := s.token(2)
	a := s.put(token, "a")
	before := s.load(token)
	for _, c := range []struct {
		id, value string
		limit     int
		want      error
	}{
		{"a", value("a"), limit, server.ErrExists},
		{"a", value("x"), limit, server.ErrExists},
		{"a", value("a"), 1, server.ErrExists},
		{"b", value("b"), 1, server.ErrFull},
		{"b", "ma=http://other:1", limit, server.ErrClash},
		{"b", "b=http://ha:2380", limit, server.ErrClash},
	} {
		e, index, err := s.Register(s.ctx, token, c.id, c.value, c.limit)
		if !errors.Is(err, c.want) || index != before.Index {
			s.Errorf("%+v: index %d, %v", c, index, err)
		}
		if c.want == server.ErrExists && e != a {
			s.Errorf("%+v: %+v, want what is there", c, e)
		}
	}
	if after := s.load(token); after.Index != before.Index || len(after.Entries) != 1 {
		s.Errorf("changed: %+v", after)
	}
	s.put(token, "b")
	if _, _, err := s.Register(s.ctx, token, "c", "ma=http://new:1", limit); err != nil {
		s.Errorf("a founder's name behind the founders: %v", err)
	}
}

func remove(s *suite) {
	token := s.token(2)
	s.put(token, "a")
	for _, full := range []bool{false, true} {
		if _, index, err := s.Remove(s.ctx, token, "a"); !errors.Is(err, server.ErrFounder) || index != s.load(token).Index {
			s.Errorf("a founder, complete %v: index %d, %v", full, index, err)
		}
		if !full {
			s.put(token, "b")
		}
	}
	c := s.put(token, "c")
	gone, index, err := s.Remove(s.ctx, token, "c")
	if err != nil || gone != c || index <= c.Index || s.load(token).Index != index {
		s.Errorf("remove: %+v, index %d, %v; now %+v", gone, index, err, s.load(token))
	}
	if _, index, err := s.Remove(s.ctx, token, "c"); !errors.Is(err, server.ErrUnknownMember) || index != s.load(token).Index {
		s.Errorf("again: index %d, %v", index, err)
	}
	if back := s.put(token, "c"); back.Index <= index {
		s.Errorf("it came back with index %d, behind %d", back.Index, index)
	}
}

// removeRaces: what several remove at once, one has removed.
func removeRaces(s *suite) {
	token := s.token(1)
	s.put(token, "1")
	for range 20 {
		s.put(token, "2")
		var all sync.WaitGroup
		var removed atomic.Int64
		for _, at := range s.all {
			all.Go(func() {
				switch _, _, err := at.Remove(s.ctx, token, "2"); {
				case err == nil:
					removed.Add(1)
				case !errors.Is(err, server.ErrUnknownMember):
					s.Error(err)
				}
			})
		}
		all.Wait()
		if n := removed.Load(); n != 1 {
			s.Errorf("%d have removed it", n)
		}
	}
}

func unknown(s *suite) {
	for _, token := range []string{"", strings.Repeat("0", 32), s.token(1)[:31]} {
		_, load := s.Load(s.ctx, token)
		_, _, register := s.Register(s.ctx, token, "1", value("1"), limit)
		_, _, remove := s.Remove(s.ctx, token, "1")
		for what, err := range map[string]error{"load": load, "register": register, "remove": remove, "wait": s.Wait(s.ctx, token, 0)} {
			if !errors.Is(err, server.ErrUnknownToken) {
				s.Errorf("%s %q: %v", what, token, err)
			}
		}
	}
}

func waits(s *suite) {
	token, other := s.token(3), s.token(3)
	before := s.load(token).Index
	if err := s.Wait(s.ctx, token, before-1); err != nil {
		s.Errorf("for the past: %v", err)
	}
	woken := make(chan error, 20)
	for i := range 20 {
		go func() { woken <- s.all[i%len(s.all)].Wait(s.ctx, token, before) }()
	}
	s.put(other, "1")
	select {
	case err := <-woken:
		s.Errorf("woken by nothing: %v", err)
	default:
	}
	s.put(token, "1")
	for range 20 {
		if err := <-woken; err != nil {
			s.Errorf("not woken: %v", err)
		}
	}
}

func waitEnds(s *suite) {
	token := s.token(3)
	ctx, cancel := context.WithCancel(s.ctx)
	ended := make(chan error)
	go func() { ended <- s.Wait(ctx, token, s.load(token).Index) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		s.Errorf("cancelled: %v", err)
	}
}

// race registers many at once, in turn at each instance, and returns who had no
// error; every other error must be want.
func (s *suite) race(n int, want error, token string, of func(id string) (as, value string)) (won []string) {
	var all sync.WaitGroup
	winners := make(chan string, n)
	for i := range n {
		all.Go(func() {
			id := fmt.Sprintf("%x", i+1)
			as, value := of(id)
			if _, _, err := s.all[i%len(s.all)].Register(s.ctx, token, as, value, limit); err == nil {
				winners <- id
			} else if !errors.Is(err, want) {
				s.Errorf("%s: %v", id, err)
			}
		})
	}
	all.Wait()
	close(winners)
	for id := range winners {
		won = append(won, id)
	}
	return won
}

func oneIsCreated(s *suite) {
	token := s.token(3)
	won := s.race(20, server.ErrExists, token, func(id string) (string, string) { return "1", value(id) })
	if dir := s.load(token); len(won) != 1 || len(dir.Entries) != 1 || dir.Entries[0].Value != value(won[0]) {
		s.Errorf("%v won: %+v", won, dir)
	}
}

func oneName(s *suite) {
	token := s.token(3)
	won := s.race(20, server.ErrClash, token, func(id string) (string, string) { return id, "same=http://h" + id + ":1" })
	if dir := s.load(token); len(won) != 1 || len(dir.Entries) != 1 || dir.Entries[0].ID != won[0] {
		s.Errorf("%v won: %+v", won, dir)
	}
}

func together(s *suite) {
	const members = 40
	token := s.token(3)
	won := s.race(members, nil, token, func(id string) (string, string) { return id, value(id) })
	dir := s.load(token)
	if len(won) != members || len(dir.Entries) != members || dir.Index != dir.Entries[members-1].Index {
		s.Errorf("%d won: %+v", len(won), dir)
	}
}

func expire(s *suite) {
	fresh := time.Now().Add(-time.Hour)
	late := time.Now().Add(time.Hour)
	full, open := s.token(1), s.token(2)
	s.put(full, "1")
	s.put(full, "2")
	s.put(open, "1")
	if n, err := s.Expire(s.ctx, fresh); n != 0 || err != nil {
		s.Errorf("of fresh ones: %d, %v", n, err)
	}
	waiting := make(chan error, 1)
	index := s.load(open).Index
	go func() { waiting <- s.Wait(s.ctx, open, index) }()
	if n, err := s.Expire(s.ctx, late); n < 1 || err != nil {
		s.Errorf("of old ones: %d, %v", n, err)
	}
	if err := <-waiting; !errors.Is(err, server.ErrUnknownToken) {
		s.Errorf("who waited: %v", err)
	}
	if _, err := s.Load(s.ctx, open); !errors.Is(err, server.ErrUnknownToken) {
		s.Errorf("the open one: %v", err)
	}
	if dir := s.load(full); len(dir.Entries) != 2 {
		s.Errorf("the full one: %+v", dir)
	}
}

// expireRaces: a token that gets complete at this moment stays, with all.
func expireRaces(s *suite) {
	for range 10 {
		token := s.token(2)
		s.put(token, "1")
		var all sync.WaitGroup
		var registered error
		all.Go(func() { _, _, registered = s.Register(s.ctx, token, "2", value("2"), limit) })
		all.Go(func() {
			if _, err := s.all[len(s.all)-1].Expire(s.ctx, time.Now().Add(time.Hour)); err != nil {
				s.Error(err)
			}
		})
		all.Wait()
		dir, err := s.Load(s.ctx, token)
		gone := errors.Is(err, server.ErrUnknownToken) && errors.Is(registered, server.ErrUnknownToken)
		kept := err == nil && registered == nil && len(dir.Entries) == 2
		if !gone && !kept {
			s.Errorf("registered: %v; now %+v, %v", registered, dir, err)
		}
	}
}

// long values come back byte for byte.
func long(s *suite) {
	token := s.token(1)
	odd := strings.Repeat("a\"\\<&>\u00e9\u2028 %41+\x00\n", 200) + "=http://h:1"
	if _, _, err := s.Register(s.ctx, token, "1", odd, limit); err != nil {
		s.Fatal(err)
	}
	if got := s.load(token).Entries[0].Value; got != odd {
		s.Errorf("got %q", got)
	}
}
