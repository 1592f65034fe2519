package etcdapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	clientv2 "go.etcd.io/etcd/client/v2"

	"github.com/sttts/elastic-etcd/joiner"
)

// v2Probe is a key that nobody has. To find that out for sure takes a quorum.
const v2Probe = "/_elastic-etcd/quorum-probe"

// askV2 fills in what the client port of an etcd 2.3 says.
func (a *API) askV2(ctx context.Context, ans *answer) error {
	member, leader, err := a.v2Self(ctx, ans.url)
	if err != nil {
		return err
	}
	// First its own word: the proof may take all the time there is.
	cluster, list, err := a.v2Members(ctx, ans.url)
	if err != nil {
		return err
	}
	ans.cluster, ans.member, ans.leader, ans.list = cluster, member, leader, list
	ans.doubt = a.proveV2(ctx, ans)
	ans.proven = ans.doubt == nil
	return nil
}

func (a *API) proveV2(ctx context.Context, ans *answer) error {
	if ans.leader == 0 {
		return errors.New("it knows no leader")
	}
	if err := a.v2Quorum(ctx, ans.url); err != nil {
		return err
	}
	cluster, list, err := a.v2Members(ctx, ans.url)
	if err != nil {
		return err
	}
	if cluster != ans.cluster {
		return fmt.Errorf("several servers answer at %s", ans.url)
	}
	ans.list = list
	return nil
}

func (a *API) v2Self(ctx context.Context, base string) (member, leader joiner.ID, err error) {
	where := base + "/v2/stats/self"
	r, err := get(ctx, a.client, where)
	if err != nil {
		return 0, 0, err
	}
	var raw struct {
		ID         joiner.ID
		LeaderInfo struct{ Leader string }
	}
	if err := json.Unmarshal(r.body, &raw); err != nil {
		return 0, 0, fmt.Errorf("GET %s: %w", where, err)
	}
	leader, _ = joiner.ParseID(raw.LeaderInfo.Leader) // "" where there is none
	return raw.ID, leader, nil
}

// v2Quorum reads through the log, so what the server says next was true after
// this began.
func (a *API) v2Quorum(ctx context.Context, base string) error {
	c, err := a.v2Client(base)
	if err != nil {
		return err
	}
	_, err = clientv2.NewKeysAPI(c).Get(ctx, v2Probe, &clientv2.GetOptions{Quorum: true})
	switch refused := (clientv2.Error{}); {
	case errors.As(err, &refused) && refused.Code == clientv2.ErrorCodeUnauthorized:
		return cmp.Or(c.admits(ctx, a.as), error(refused))
	case err != nil && !clientv2.IsKeyNotFound(err):
		return fmt.Errorf("no quorum: %w", cause(ctx, v2Detail(err)))
	}
	return nil
}

// v2Members is client/v2's MembersAPI.List, which hides the cluster's ID.
func (a *API) v2Members(ctx context.Context, base string) (joiner.ID, []joiner.Member, error) {
	where := base + "/v2/members"
	r, err := get(ctx, a.client, where)
	if err != nil {
		return 0, nil, err
	}
	cluster, list, err := parseV2Members(r)
	if err != nil {
		return 0, nil, fmt.Errorf("GET %s: %w", where, err)
	}
	return cluster, list, nil
}

func parseV2Members(r reply) (joiner.ID, []joiner.Member, error) {
	cluster, err := clusterOf(r)
	if err != nil {
		return 0, nil, err
	}
	var raw struct {
		Members []struct {
			ID                   joiner.ID
			Name                 string
			PeerURLs, ClientURLs []string
		}
	}
	if err := json.Unmarshal(r.body, &raw); err != nil {
		return 0, nil, fmt.Errorf("member list: %w", err)
	}
	var list []joiner.Member
	for _, m := range raw.Members {
		list = append(list, joiner.Member{ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs})
	}
	list, err = checkMembers(list)
	return cluster, list, err
}

// v2Client asks one server for changes.
type v2Client struct{ clientv2.Client }

func (a *API) v2Client(base string) (v2Client, error) {
	cfg := clientv2.Config{
		Endpoints:     []string{base},
		Transport:     shortBodies{a.client.Transport},
		CheckRedirect: func(int) error { return errors.New("it redirects elsewhere") },
	}
	if a.mayTell(base) {
		as := a.as.now()
		cfg.Username, cfg.Password = as.User, as.Password
	}
	c, err := clientv2.New(cfg)
	return v2Client{c}, err
}

// add is client/v2's MembersAPI.Add for several URLs.
func (c v2Client) add(ctx context.Context, peerURLs []string, learner bool) error {
	if learner {
		return errNoLearners
	}
	res, body, err := c.Do(ctx, v2Add(peerURLs))
	if err != nil {
		return v2Detail(err)
	}
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s: %s", res.Status, bytes.TrimSpace(body[:min(len(body), 200)]))
	}
	return nil
}

var errNoLearners = errors.New("etcd 2 has no learners")

func (c v2Client) promote(context.Context, joiner.ID) error { return errNoLearners }

func (c v2Client) moveLeader(context.Context, joiner.ID) error {
	return errors.New("etcd 2 cannot pass on the leadership")
}

func (c v2Client) remove(ctx context.Context, id joiner.ID) error {
	return v2Detail(clientv2.NewMembersAPI(c.Client).Remove(ctx, id.String()))
}

func (c v2Client) update(ctx context.Context, id joiner.ID, peerURLs []string) error {
	return v2Detail(clientv2.NewMembersAPI(c.Client).Update(ctx, id.String(), peerURLs))
}

type v2Get string

// HTTPRequest is what client/v2 asks of an action.
func (path v2Get) HTTPRequest(base url.URL) *http.Request {
	req, _ := http.NewRequest(http.MethodGet, base.JoinPath(string(path)).String(), nil)
	return req
}

type v2Add []string

// HTTPRequest is what client/v2 asks of an action.
func (peerURLs v2Add) HTTPRequest(base url.URL) *http.Request {
	body, _ := json.Marshal(map[string][]string{"peerURLs": peerURLs}) // strings always can
	req, _ := http.NewRequest(http.MethodPost, base.JoinPath("v2/members").String(), bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	return req
}

// v2Detail unwraps an error of a client with one endpoint, which otherwise
// says only that the cluster is unavailable.
func v2Detail(err error) error {
	if several := (*clientv2.ClusterError)(nil); errors.As(err, &several) && len(several.Errors) > 0 {
		err = several.Errors[len(several.Errors)-1]
	}
	if err != nil && strings.HasSuffix(err.Error(), "has no leader") { // client/v2's word for every 500
		return errors.New("500 Internal Server Error: it refuses, or has no leader")
	}
	return err
}

// shortBodies cuts bodies off, since client/v2 reads whatever comes.
type shortBodies struct{ http.RoundTripper }

func (b shortBodies) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(req)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxBody)
	}
	return res, err
}

// CancelRequest is in client/v2's interface and never called by it.
func (b shortBodies) CancelRequest(*http.Request) {}
