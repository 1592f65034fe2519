package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/discovery/server"
)

// errMoved says that somebody else changed the token since it was read.
var errMoved = errors.New("the token has changed meanwhile")

// Create implements server.Store.
func (s *Store) Create(ctx context.Context, token string, size int) error {
	b := birth{size, time.Now(), newMark()}
	err := s.persist(ctx, token, func(ctx context.Context) error {
		st, err := s.load(ctx, token)
		switch {
		case err == nil && st.birth.mark == b.mark:
			return nil // an answer was lost
		case err == nil:
			return server.ErrExists
		case !errors.Is(err, server.ErrUnknownToken):
			return err
		}
		if err := s.gauge.room(ctx); err != nil {
			return err
		}
		_, err = s.commit(ctx, token, 0, clientv3.OpPut(tokenKey(token), b.String()))
		return err
	})
	return wrap("create discovery token", err)
}

// Register implements server.Store.
func (s *Store) Register(ctx context.Context, token, id, value string, limit int) (e server.Entry, index uint64, err error) {
	mark := newMark()
	err = s.persist(ctx, token, func(ctx context.Context) error {
		st, err := s.load(ctx, token)
		if err != nil {
			return err
		}
		index = st.Index
		var there bool
		if e, there = st.Find(id); there {
			if st.marks[id] == mark {
				index = e.Index
				return nil // an answer was lost
			}
			return server.ErrExists
		}
		if err := s.admit(ctx, st, value, limit); err != nil {
			return err
		}
		index, err = s.commit(ctx, token, st.Index, clientv3.OpPut(memberKey(token, id), marked(mark, value)),
			clientv3.OpPut(tokenKey(token), st.birth.String()))
		e = server.Entry{ID: id, Value: value, Index: index}
		return err
	})
	if err != nil && !errors.Is(err, server.ErrExists) {
		e = server.Entry{}
	}
	return e, index, wrap("register member", err)
}

func (s *Store) admit(ctx context.Context, st state, value string, limit int) error {
	err := st.Admit(value, limit)
	if err == nil && st.Complete() {
		err = s.gauge.room(ctx)
	}
	return err
}

// Remove implements server.Store.
func (s *Store) Remove(ctx context.Context, token, id string) (e server.Entry, index uint64, err error) {
	var tried server.Entry // what an answer that was lost may have removed
	err = s.persist(ctx, token, func(ctx context.Context) error {
		st, err := s.load(ctx, token)
		if err != nil {
			return err
		}
		index = st.Index
		e, err = st.Removable(id)
		if errors.Is(err, server.ErrUnknownMember) && tried.ID != "" {
			e = tried
			return nil
		}
		if err != nil {
			return err
		}
		index, err = s.commit(ctx, token, st.Index, clientv3.OpDelete(memberKey(token, id)), clientv3.OpPut(tokenKey(token), st.birth.String()))
		if !errors.Is(err, errMoved) {
			tried = e
		}
		return err
	})
	return e, index, wrap("remove member", err)
}

// commit makes a change of a token that still has this index; 0 is one that is
// not there. It returns the new index.
func (s *Store) commit(ctx context.Context, token string, index uint64, ops ...clientv3.Op) (uint64, error) {
	client, err := s.login.get(ctx)
	if err != nil {
		return index, err
	}
	resp, err := client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(tokenKey(token)), "=", int64(index))).Then(ops...).Commit()
	if errors.Is(err, rpctypes.ErrNoSpace) {
		err = fmt.Errorf("%w: %w", server.ErrNoSpace, err)
	}
	if err != nil {
		return index, err
	}
	if !resp.Succeeded {
		return index, errMoved
	}
	return uint64(resp.Header.Revision), nil
}

// persist makes a change in the end, though somebody else is faster or the
// cluster has no leader. A change whose answer was lost may still come to
// pass: then the token has another index, which the next try does not have, or
// it sees what it wrote itself. So it is made once, or an error is told.
func (s *Store) persist(ctx context.Context, token string, change func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	unlock, err := s.lock(ctx, token)
	if err != nil {
		return err
	}
	defer unlock()
	return s.again(ctx, change)
}
