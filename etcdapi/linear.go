package etcdapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/sttts/elastic-etcd/joiner"
)

// linear is what members say on their peer ports with a quorum behind them.
type linear struct {
	// proven are those that did: they take part now.
	proven map[joiner.ID]bool
	// downgrading tells whether the cluster is on its way to an older version.
	downgrading bool
}

// askLinear has members read linearizably, learners too: etcd 3.5 and later
// does that on the peer port for whoever asks whether a downgrade is enabled
// (etcdserver/server.go, downgradeEnabledHandler). One answer tells that; who
// takes part takes them all.
func (a *API) askLinear(ctx context.Context, proof answer, all bool) linear {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	type said struct {
		by      joiner.ID
		enabled bool
		err     error
	}
	l := linear{proven: map[joiner.ID]bool{}}
	if v := proof.server; v.Known() && (v.Major < 3 || v.Major == 3 && v.Minor < 5) {
		return l
	}
	for s := range askAll(ctx, peersOf(proof.list), func(ctx context.Context, p peerOf) said {
		enabled, err := a.downgradeEnabled(ctx, p.contact, proof.cluster)
		return said{p.id, enabled, err}
	}) {
		if s.err != nil {
			continue
		}
		l.proven[s.by], l.downgrading = true, l.downgrading || s.enabled
		if !all {
			break
		}
	}
	return l
}

// peerOf is a peer port and the member that has it.
type peerOf struct {
	contact
	id joiner.ID
}

// peersOf are the peer ports of started members.
func peersOf(list []joiner.Member) []peerOf {
	var ports []peerOf
	for _, m := range list {
		for _, c := range parseContacts(peerPort, m.PeerURLs) {
			if m.Started() {
				ports = append(ports, peerOf{c, m.ID})
			}
		}
	}
	return ports
}

func (a *API) downgradeEnabled(ctx context.Context, peer contact, cluster joiner.ID) (bool, error) {
	where := peer.url + "/downgrade/enabled"
	r, err := get(ctx, a.peer, where)
	if err != nil {
		return false, err
	}
	id, err := clusterOf(r)
	body := strings.TrimSpace(string(r.body))
	switch {
	case err != nil:
		return false, fmt.Errorf("GET %s: %w", where, err)
	case id != cluster:
		return false, fmt.Errorf("GET %s: it is of cluster %s", where, id)
	case body != "true" && body != "false":
		return false, fmt.Errorf("GET %s: %.20q is neither true nor false", where, body)
	}
	return body == "true", nil
}
