package etcdapi

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/sttts/elastic-etcd/joiner"
)

// A peer port does not say whose it is. An address of a dead member that leads
// to another member by now, since a name or a host has moved, would speak for the
// dead one for ever. But a peer port refuses a stream that is meant for another
// member, and that is asked where a log does not follow.

// refusal is what etcd 2.3 to 3.7 answer at the peer port of another member.
const refusal = "to field mismatch"

// identify finds the peer ports that are another member's than the list says.
func (l *look) identify() {
	var asking sync.WaitGroup
	refusing := make([]joiner.ID, len(l.answers))
	for i, ans := range l.answers {
		if m, doubtful := l.doubtful(ans); doubtful {
			asking.Go(func() { refusing[i] = l.api.ifRefused(l.ctx, ans, m) })
		}
	}
	asking.Wait()
	for i, id := range refusing {
		l.answers[i].notOf = id
	}
}

// doubtful gives the member whose peer port an answer came from, if its log does
// not follow and nothing better speaks for it. Each question costs that member a
// warning in its log.
func (l *look) doubtful(ans answer) (joiner.Member, bool) {
	e, known := l.evidence[ans.cluster]
	if ans.port != peerPort || !known || e.err != nil {
		return joiner.Member{}, false
	}
	for _, m := range l.proofs[ans.cluster].list {
		if ans.by(ans.cluster, m) && !e.following(m.ID) && !l.saysSo(ans.cluster, m) {
			return m, true
		}
	}
	return joiner.Member{}, false
}

// saysSo tells whether a client port says that it is a member's.
func (l *look) saysSo(cluster joiner.ID, m joiner.Member) bool {
	for _, ans := range l.answers {
		if ans.port == clientPort && ans.by(cluster, m) {
			return true
		}
	}
	return false
}

// ifRefused gives the member's ID if the peer port refuses streams for it, and 0
// if it does not, or if that cannot be told.
//
// The stream is said to be the member's own: its peer port knows no such peer, and
// all others find that it is not theirs to get. So none of them ever opens it.
func (a *API) ifRefused(ctx context.Context, ans answer, m joiner.Member) joiner.ID {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, ans.url+"/raft/stream/message/"+m.ID.String(), nil)
	if err != nil || ans.full == "" {
		return 0
	}
	req.Header.Set(clusterHeader, ans.cluster.String())
	req.Header.Set("X-Raft-To", m.ID.String())
	req.Header.Set("X-Server-Version", ans.full) // older ones are refused before
	res, err := a.peer.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, int64(len(refusal))+1))
	if err != nil || res.StatusCode != http.StatusPreconditionFailed || strings.TrimSpace(string(body)) != refusal {
		return 0
	}
	return m.ID
}
