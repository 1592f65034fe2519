package etcdapi

import (
	"context"
	"errors"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/joiner"
)

// askV3 fills in what a client port says by gRPC.
func (a *API) askV3(ctx context.Context, ans *answer) error {
	c, err := a.conns.get(ans.url)
	if err != nil {
		return fmt.Errorf("dial %s: %w", ans.url, err)
	}
	status, err := c.Status(ctx, ans.url)
	if err != nil {
		a.conns.dropUnlessCanceled(ans.url, err)
		return fmt.Errorf("status of %s: %w", ans.url, cause(ctx, err))
	}
	ans.cluster, ans.member = joiner.ID(status.Header.ClusterId), joiner.ID(status.Header.MemberId)
	ans.leader, ans.term, ans.own = joiner.ID(status.Leader), status.RaftTerm, detailsOf((*pb.StatusResponse)(status))
	if v, err := ParseVersion(status.Version); err == nil {
		ans.server, ans.addsWhileDown, ans.full = v, addsWhileDown(status.Version), inFull(status.Version)
	}
	if status.IsLearner {
		return nil // it refuses to list the members
	}
	// First its own word: the proof may take all the time there is.
	if ans.list, ans.doubt = c.listOf(ctx, ans, clientv3.WithSerializable()); ans.doubt == nil {
		ans.doubt = c.prove(ctx, ans)
	}
	ans.proven = ans.doubt == nil
	return nil
}

// prove gets the member list by a quorum's word. The list of etcd 3.4 is
// always the server's own. So a harmless entry is sent through the log first,
// listing the alarms: when this server answers that, its log was up to date.
func (c v3Client) prove(ctx context.Context, ans *answer) error {
	if ans.leader == 0 {
		return errors.New("it knows no leader")
	}
	alarms, err := c.AlarmList(ctx)
	switch {
	case bar(err) != "":
		return err
	case err != nil:
		return fmt.Errorf("no quorum: %w", cause(ctx, err))
	}
	ans.alarms = alarmsOf(alarms.Alarms)
	list, err := c.listOf(ctx, ans)
	if err != nil {
		return err
	}
	ans.list = list
	return nil
}

func alarmsOf(raised []*pb.AlarmMember) map[joiner.ID][]string {
	alarms := map[joiner.ID][]string{}
	for _, r := range raised {
		alarms[joiner.ID(r.MemberID)] = append(alarms[joiner.ID(r.MemberID)], r.Alarm.String())
	}
	return alarms
}

func (c v3Client) listOf(ctx context.Context, ans *answer, opts ...clientv3.OpOption) ([]joiner.Member, error) {
	res, err := c.MemberList(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("list the members: %w", cause(ctx, err))
	}
	if by := res.Header; joiner.ID(by.ClusterId) != ans.cluster || joiner.ID(by.MemberId) != ans.member {
		return nil, fmt.Errorf("list the members: several servers answer at %s", ans.url)
	}
	return checkMembers(fromV3(res.Members))
}

func fromV3(raw []*pb.Member) []joiner.Member {
	list := make([]joiner.Member, 0, len(raw))
	for _, m := range raw {
		list = append(list, joiner.Member{ID: joiner.ID(m.ID), Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs, Learner: m.IsLearner})
	}
	return list
}

func (c v3Client) add(ctx context.Context, peerURLs []string, learner bool) error {
	var err error
	if learner {
		_, err = c.MemberAddAsLearner(ctx, peerURLs)
	} else {
		_, err = c.MemberAdd(ctx, peerURLs)
	}
	return cause(ctx, err)
}

func (c v3Client) promote(ctx context.Context, id joiner.ID) error {
	_, err := c.MemberPromote(ctx, uint64(id))
	return cause(ctx, err)
}

func (c v3Client) remove(ctx context.Context, id joiner.ID) error {
	_, err := c.MemberRemove(ctx, uint64(id))
	return cause(ctx, err)
}

func (c v3Client) update(ctx context.Context, id joiner.ID, peerURLs []string) error {
	_, err := c.MemberUpdate(ctx, uint64(id), peerURLs)
	return cause(ctx, err)
}

func (c v3Client) moveLeader(ctx context.Context, to joiner.ID) error {
	_, err := c.MoveLeader(ctx, uint64(to))
	return cause(ctx, err)
}

// cause prefers the reason why the time was up over that it was.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
