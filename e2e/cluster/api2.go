package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// v2 asks etcd 2 in plain HTTP.
type v2 struct {
	base   string
	client *http.Client
	root   *User // nil where there is no auth
}

func newV2(h *Host) *v2 {
	transport := &http.Transport{DisableKeepAlives: true}
	if h.lab.ca != nil {
		transport.TLSClientConfig = h.lab.ca.config
	}
	return &v2{base: h.ClientURL(), root: h.lab.root, client: &http.Client{Transport: transport}}
}

func (v *v2) membership(ctx context.Context) (Membership, error) {
	res, err := v.do(ctx, http.MethodGet, "/v2/members", "", nil)
	if err != nil {
		return Membership{}, err
	}
	var list Membership
	if list.ClusterID, err = parseID(res.header.Get("X-Etcd-Cluster-Id")); err != nil {
		return Membership{}, err
	}
	var body struct{ Members []v2Member }
	if err := json.Unmarshal(res.body, &body); err != nil {
		return Membership{}, fmt.Errorf("read member list: %w", err)
	}
	for _, m := range body.Members {
		id, err := parseID(m.ID)
		if err != nil {
			return Membership{}, err
		}
		list.Members = append(list.Members, Member{ID: id, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs})
	}
	return list, nil
}

type v2Member struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
}

func (v *v2) status(ctx context.Context) (Status, error) {
	res, err := v.do(ctx, http.MethodGet, "/v2/stats/self", "", nil)
	if err != nil {
		return Status{}, err
	}
	var body struct {
		ID         string
		LeaderInfo struct{ Leader string }
	}
	if err := json.Unmarshal(res.body, &body); err != nil {
		return Status{}, fmt.Errorf("read status: %w", err)
	}
	id, err := parseID(body.ID)
	if err != nil {
		return Status{}, err
	}
	leader, err := parseID(body.LeaderInfo.Leader)
	return Status{MemberID: id, Leader: leader}, err
}

func (v *v2) put(ctx context.Context, key, value string) error {
	form := []byte(url.Values{"value": {value}}.Encode())
	_, err := v.do(ctx, http.MethodPut, "/v2/keys/"+key, "application/x-www-form-urlencoded", form)
	return err
}

func (v *v2) get(ctx context.Context, key string) (string, bool, error) {
	res, err := v.do(ctx, http.MethodGet, "/v2/keys/"+key+"?quorum=true", "", nil)
	var status httpError
	if errors.As(err, &status) && status.code == http.StatusNotFound {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	var body struct{ Node struct{ Value string } }
	if err := json.Unmarshal(res.body, &body); err != nil {
		return "", false, fmt.Errorf("read key: %w", err)
	}
	return body.Node.Value, true, nil
}

func (v *v2) add(ctx context.Context, learner bool, peerURLs []string) (uint64, error) {
	if learner {
		return 0, errors.New("add learner: etcd 2 has none")
	}
	body, err := json.Marshal(map[string][]string{"peerURLs": peerURLs})
	if err != nil {
		return 0, fmt.Errorf("add member: %w", err)
	}
	res, err := v.do(ctx, http.MethodPost, "/v2/members", "application/json", body)
	if err != nil {
		return 0, err
	}
	var member v2Member
	if err := json.Unmarshal(res.body, &member); err != nil {
		return 0, fmt.Errorf("read added member: %w", err)
	}
	return parseID(member.ID)
}

func (v *v2) remove(ctx context.Context, id uint64) error {
	_, err := v.do(ctx, http.MethodDelete, fmt.Sprintf("/v2/members/%x", id), "", nil)
	return err
}

func (v *v2) close() error { return nil }

type v2Answer struct {
	header http.Header
	body   []byte
}

type httpError struct {
	code int
	text string
}

func (e httpError) Error() string { return e.text }

func (v *v2) do(ctx context.Context, method, path, contentType string, body []byte) (v2Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, v.base+path, bytes.NewReader(body))
	if err != nil {
		return v2Answer{}, err
	}
	if v.root != nil {
		req.SetBasicAuth(v.root.Name, v.root.Password)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := v.client.Do(req)
	if err != nil {
		return v2Answer{}, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return v2Answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode/100 != 2 {
		text := fmt.Sprintf("%s %s: %s: %s", method, path, res.Status, bytes.TrimSpace(answer))
		return v2Answer{}, httpError{code: res.StatusCode, text: text}
	}
	return v2Answer{header: res.Header, body: answer}, nil
}

// parseID reads etcd's hexadecimal IDs; no ID at all is 0, as no leader is.
func parseID(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	id, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("read ID: %w", err)
	}
	return id, nil
}
