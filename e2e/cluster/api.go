package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// api is what the harness asks of an etcd, in its v3 or its v2 API.
type api interface {
	membership(ctx context.Context) (Membership, error)
	status(ctx context.Context) (Status, error)
	put(ctx context.Context, key, value string) error
	get(ctx context.Context, key string) (value string, found bool, err error)
	add(ctx context.Context, learner bool, peerURLs []string) (uint64, error)
	remove(ctx context.Context, id uint64) error
	close() error
}

// Membership is a cluster's members as one of them tells them; linearizable,
// except with etcd 2.3.
type Membership struct {
	ClusterID uint64
	Members   []Member
}

// Member is one member of a cluster. No name: never started.
type Member struct {
	ID         uint64
	Name       string
	PeerURLs   []string
	ClientURLs []string
	Learner    bool
}

// Of finds the member with the host's peer URL.
func (m Membership) Of(h *Host) (Member, bool) {
	i := slices.IndexFunc(m.Members, func(m Member) bool { return slices.Contains(m.PeerURLs, h.AdvertisedURL()) })
	if i < 0 {
		return Member{}, false
	}
	return m.Members[i], true
}

// Status is what an etcd says of itself; leader 0 is none.
type Status struct {
	MemberID uint64
	Leader   uint64
	Learner  bool
}

func (h *Host) api() (api, error) {
	if strings.HasPrefix(h.Version, "2.") {
		return newV2(h), nil
	}
	return newV3(h)
}

func ask[R any](h *Host, question func(api) (R, error)) (R, error) {
	var none R
	a, err := h.api()
	if err != nil {
		return none, fmt.Errorf("ask %s: %w", h.Name, err)
	}
	defer a.close()
	r, err := question(a)
	if err != nil {
		return none, fmt.Errorf("ask %s: %w", h.Name, err)
	}
	return r, nil
}

// TryMembership asks the host's etcd for the members.
func (h *Host) TryMembership(ctx context.Context) (Membership, error) {
	return ask(h, func(a api) (Membership, error) { return a.membership(ctx) })
}

// TryStatus asks the host's etcd for its own state, which needs no quorum.
func (h *Host) TryStatus(ctx context.Context) (Status, error) {
	return ask(h, func(a api) (Status, error) { return a.status(ctx) })
}

// TryPut writes a key once, without trying again.
func (h *Host) TryPut(ctx context.Context, key, value string) error {
	_, err := ask(h, func(a api) (struct{}, error) { return struct{}{}, a.put(ctx, key, value) })
	return err
}

// TryGet reads a key, linearizably.
func (h *Host) TryGet(ctx context.Context, key string) (value string, found bool, err error) {
	value, err = ask(h, func(a api) (v string, err error) {
		v, found, err = a.get(ctx, key)
		return v, err
	})
	return value, found, err
}

// TryAdd adds a member, not started yet, and returns its ID.
func (h *Host) TryAdd(ctx context.Context, peerURLs ...string) (uint64, error) {
	return ask(h, func(a api) (uint64, error) { return a.add(ctx, false, peerURLs) })
}

// TryAddLearner adds a learner, not started yet, and returns its ID.
func (h *Host) TryAddLearner(ctx context.Context, peerURLs ...string) (uint64, error) {
	return ask(h, func(a api) (uint64, error) { return a.add(ctx, true, peerURLs) })
}

// TryRemove removes a member.
func (h *Host) TryRemove(ctx context.Context, id uint64) error {
	_, err := ask(h, func(a api) (struct{}, error) { return struct{}{}, a.remove(ctx, id) })
	return err
}
