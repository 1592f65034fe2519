package etcdapi

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sttts/elastic-etcd/joiner"
)

// askPeer asks a peer port for the members as that member sees them.
func (a *API) askPeer(ctx context.Context, c contact) answer {
	ans := answer{contact: c}
	where := c.url + "/members"
	r, err := get(ctx, a.peer, where)
	if err != nil {
		ans.err = err
		return ans
	}
	cluster, list, err := parsePeerMembers(r)
	if err != nil {
		ans.err = fmt.Errorf("GET %s: %w", where, err)
		return ans
	}
	ans.cluster, ans.list = cluster, list
	if r, err := get(ctx, a.peer, c.url+"/version"); err == nil {
		ans.versions, _ = parseVersions(r.body) // without it the answer still counts
	}
	return ans
}

func parsePeerMembers(r reply) (joiner.ID, []joiner.Member, error) {
	cluster, err := clusterOf(r)
	if err != nil {
		return 0, nil, err
	}
	var raw []struct {
		ID         uint64 // a number, over 2^53
		Name       string
		PeerURLs   []string
		ClientURLs []string
		IsLearner  bool
	}
	if err := json.Unmarshal(r.body, &raw); err != nil {
		return 0, nil, fmt.Errorf("member list: %w", err)
	}
	list := make([]joiner.Member, 0, len(raw))
	for _, m := range raw {
		list = append(list, joiner.Member{ID: joiner.ID(m.ID), Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, Learner: m.IsLearner})
	}
	list, err = checkMembers(list)
	return cluster, list, err
}

func clusterOf(r reply) (joiner.ID, error) {
	id, err := joiner.ParseID(r.header.Get(clusterHeader))
	if err != nil || id == 0 {
		return 0, fmt.Errorf("not an etcd: no cluster ID in header %s", clusterHeader)
	}
	return id, nil
}
