package cluster

import (
	"context"
	"fmt"
	"slices"
)

// Membership is the cluster as the host's etcd tells it.
func (h *Host) Membership() Membership {
	h.lab.t.Helper()
	return h.WaitMembers(h.Name+" to list the members", func(Membership) bool { return true })
}

// Members are the cluster's members as the host's etcd lists them.
func (h *Host) Members() []Member {
	h.lab.t.Helper()
	return h.Membership().Members
}

// ClusterID is the ID of the cluster that the host is in.
func (h *Host) ClusterID() uint64 {
	h.lab.t.Helper()
	return h.Membership().ClusterID
}

// Put writes a key through this host, trying again until it is acknowledged.
func (h *Host) Put(key, value string) {
	h.lab.t.Helper()
	h.lab.WaitFor(h.Name+" to write a key", func(ctx context.Context) error {
		return h.TryPut(ctx, key, value)
	})
}

// Get reads a key through this host, trying again until it is answered. No
// such key fails the test.
func (h *Host) Get(key string) string {
	h.lab.t.Helper()
	var value string
	h.lab.WaitFor(h.Name+" to read a key", func(ctx context.Context) (err error) {
		var found bool
		value, found, err = h.TryGet(ctx, key)
		if err == nil && !found {
			err = giveUp(fmt.Errorf("there is no key %s", key))
		}
		return err
	})
	return value
}

// Add adds a member, not started yet, as an admin does, trying again while
// etcd finds its cluster too young or too unwell. A try that got no answer may
// have done its work.
func (h *Host) Add(peerURLs ...string) uint64 {
	h.lab.t.Helper()
	var id uint64
	h.lab.WaitFor(h.Name+" to add a member", func(ctx context.Context) (err error) {
		if id, err = h.TryAdd(ctx, peerURLs...); err == nil {
			return nil
		}
		list, unread := h.TryMembership(ctx)
		if unread != nil {
			return err
		}
		i := slices.IndexFunc(list.Members, func(m Member) bool { return slices.Equal(m.PeerURLs, peerURLs) })
		if i < 0 {
			return err
		}
		id = list.Members[i].ID
		return nil
	})
	return id
}

// Remove removes a member, as an admin does. A try that got no answer may have
// done its work.
func (h *Host) Remove(id uint64) {
	h.lab.t.Helper()
	h.lab.WaitFor(h.Name+" to remove a member", func(ctx context.Context) error {
		err := h.TryRemove(ctx, id)
		if err == nil {
			return nil
		}
		list, unread := h.TryMembership(ctx)
		if unread != nil || slices.ContainsFunc(list.Members, func(m Member) bool { return m.ID == id }) {
			return err
		}
		return nil
	})
}
