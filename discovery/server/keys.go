package server

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
)

// read serves GET of a token, its size and its members.
func (s *Server) read(w http.ResponseWriter, r *http.Request, t target, f form) error {
	q, err := f.query()
	if err != nil {
		return err
	}
	if q.wait {
		return s.wait(w, r, t, q)
	}
	dir, err := s.store.Load(r.Context(), t.token)
	if err != nil {
		return storeError(err, t, 0)
	}
	n, ok := dir.node(t, q.sorted)
	if !ok {
		return keyNotFound(t.key(), dir.Index)
	}
	return s.writeEvent(w, r, http.StatusOK, dir.Index, event{Action: "get", Node: n})
}

// node shows the target of a read. As in etcd, a directory lists no key that
// begins with an underscore, so recursive makes no difference.
func (d Directory) node(t target, sorted bool) (*node, bool) {
	switch t.kind {
	case kindSize:
		size := strconv.Itoa(d.Size)
		return &node{Key: t.key(), Value: &size, CreatedIndex: d.Created, ModifiedIndex: d.Created}, true
	case kindMember:
		e, ok := d.Find(t.member)
		return e.node(t.token), ok
	}
	n := &node{Key: t.key(), Dir: true, CreatedIndex: d.Created, ModifiedIndex: d.Created}
	for _, e := range d.Entries {
		n.Nodes = append(n.Nodes, e.node(t.token))
	}
	if sorted {
		slices.SortFunc(n.Nodes, func(a, b *node) int { return cmp.Compare(a.Key, b.Key) })
	}
	return n, true
}

// register serves PUT of a member.
func (s *Server) register(w http.ResponseWriter, r *http.Request, t target, f form) error {
	value, createOnly, err := f.registration(s.options.MaxValue)
	if err != nil {
		return err
	}
	e, index, err := s.store.Register(r.Context(), t.token, t.member, value, s.options.MaxEntries)
	if s.wrote(err) == nil {
		return s.writeEvent(w, r, http.StatusCreated, index, event{Action: "create", Node: e.node(t.token)})
	}
	if errors.Is(err, ErrExists) && !createOnly && e.Value == value {
		n := e.node(t.token)
		return s.writeEvent(w, r, http.StatusOK, index, event{Action: "set", Node: n, PrevNode: n})
	}
	return storeError(err, t, index)
}

// remove serves DELETE of a member.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, t target, f form) error {
	if err := f.booleans("dir", "recursive"); err != nil {
		return err
	}
	if err := f.unset("a registration never changes", "prevValue", "prevIndex"); err != nil {
		return err
	}
	e, index, err := s.store.Remove(r.Context(), t.token, t.member)
	if s.wrote(err) != nil {
		return storeError(err, t, index)
	}
	gone := &node{Key: t.key(), CreatedIndex: e.Index, ModifiedIndex: index}
	return s.writeEvent(w, r, http.StatusOK, index, event{Action: "delete", Node: gone, PrevNode: e.node(t.token)})
}
