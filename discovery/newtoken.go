package discovery

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sttts/elastic-etcd/discovery/registry"
	"github.com/sttts/elastic-etcd/joiner"
)

// NewToken has a discovery service make a token, as curl would, and gives its
// URL. A secret is sent as a bearer token.
func NewToken(ctx context.Context, client *http.Client, service *url.URL, secret string, size int) (string, error) {
	token, err := askForToken(ctx, client, service.JoinPath("new"), secret, size)
	if err != nil {
		return "", fmt.Errorf("make a discovery token: %w", err)
	}
	return token, nil
}

func askForToken(ctx context.Context, client *http.Client, u *url.URL, secret string, size int) (string, error) {
	u.RawQuery = url.Values{"size": {strconv.Itoa(size)}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", err
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	res, body, err := exchange(client, req)
	if err != nil {
		return "", err
	}
	return tokenURL(u.Host, res, body)
}

// tokenURL wants a URL and nothing else, since it ends in scripts.
func tokenURL(host string, res *http.Response, body []byte) (string, error) {
	if res.StatusCode != http.StatusOK {
		return "", answered(host, res, body, ofService)
	}
	answer := strings.TrimSpace(string(body))
	if t, err := url.Parse(answer); err != nil || t.Host == "" || strings.ContainsAny(answer, " \t\n\"'`$\\") {
		return "", &joiner.Refusal{Err: fmt.Errorf("%s answered no URL: %s (%s)", host, quote(answer), ofService)}
	}
	return answer, nil
}

// NewV2Token makes a token in the v2 keys of an etcd, by hand as its
// documentation says, and gives its URL.
func NewV2Token(ctx context.Context, client *http.Client, etcd *url.URL, size int) (string, error) {
	token := etcd.JoinPath("v2/keys", registry.Dir, registry.NewToken())
	if err := createV2(ctx, client, token.JoinPath(registry.Size), size); err != nil {
		return "", fmt.Errorf("make a discovery token: %w", err)
	}
	return token.String(), nil
}

func createV2(ctx context.Context, client *http.Client, key *url.URL, size int) error {
	key.RawQuery = "prevExist=false"
	form := url.Values{"value": {strconv.Itoa(size)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, key.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, body, err := exchange(client, req)
	if err != nil {
		return err
	}
	return createdKey(key.Host, res, body)
}

// createdKey wants the answer of an etcd: 3.6, and 3.5 without --enable-v2,
// answer /v2/keys with a page that is not found.
func createdKey(host string, res *http.Response, body []byte) error {
	var answer struct{ Action string }
	if res.StatusCode == http.StatusCreated && json.Unmarshal(body, &answer) == nil && answer.Action == "create" {
		return nil
	}
	if res.StatusCode == http.StatusNotFound {
		return &joiner.Refusal{Err: fmt.Errorf("%s serves no v2 keys (an etcd 3.4 or 3.5 needs --enable-v2; later ones have none: use --endpoints)", host)}
	}
	return answered(host, res, body, ofV2)
}

// What to check where the answer is nobody's that makes tokens.
const (
	ofService = "is --server the URL of a discovery service? an etcd takes --v2 or --endpoints"
	ofV2      = "is --server the client URL of an etcd with v2 keys?"
	ofV3      = "are --endpoints the client URLs of an etcd 3? an etcd 2 takes --server and --v2"
)

// answered is the error of an answer that is not the one that was hoped for:
// asked again, whoever is there will answer no better, unless it says so.
func answered(host string, res *http.Response, body []byte, check string) error {
	err := fmt.Errorf("%s answered %s: %s", host, res.Status, quote(strings.TrimSpace(string(body))))
	switch code := res.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return &joiner.Refusal{Err: err}
	case code == http.StatusTooManyRequests || code >= 500:
		return &Unavailable{err}
	}
	return &joiner.Refusal{Err: fmt.Errorf("%w (%s)", err, check)}
}

// Unavailable is the error of a service that is not there now, or has too much
// to do: another try may go well. One that never will is a joiner.Refusal.
type Unavailable struct{ Err error }

func (u *Unavailable) Error() string { return u.Err.Error() }

// Unwrap gives the cause.
func (u *Unavailable) Unwrap() error { return u.Err }

// maxTokenAnswer bounds the answer to who makes a token, in bytes.
const maxTokenAnswer = 4096

// exchange gives the answer to a request, and its body.
func exchange(client *http.Client, req *http.Request) (*http.Response, []byte, error) {
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, unanswered(req.URL.Host, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTokenAnswer))
	if err != nil {
		return nil, nil, unanswered(req.URL.Host, err)
	}
	return res, body, nil
}

func unanswered(host string, err error) error {
	told := fmt.Errorf("%s: %s", host, reason(err))
	switch {
	case untrusted(err):
		return &joiner.Refusal{Err: told}
	case errors.Is(err, context.Canceled):
		return told
	}
	return &Unavailable{told}
}

// V3Etcd is an etcd to make a token in, and who we are to it.
type V3Etcd struct {
	Endpoints      []string
	TLS            *tls.Config // nil = in the clear
	User, Password string
}

// NewV3Token makes a token as etcd 3.6 wants it
// (server/etcdserver/api/v3discovery/discovery.go), and gives its name.
func NewV3Token(ctx context.Context, etcd V3Etcd, size int) (string, error) {
	c := V3Config{Token: registry.NewToken(), Endpoints: etcd.Endpoints, DialTimeout: v3DialTimeout, RequestTimeout: requestTimeout}
	if err := c.check(); err != nil {
		return "", err
	}
	v := newV3(c, clientv3.Config{Endpoints: etcd.Endpoints, TLS: etcd.TLS, Username: etcd.User, Password: etcd.Password, DialTimeout: v3DialTimeout})
	defer v.Close()
	if err := v.create(ctx, size); err != nil {
		return "", fmt.Errorf("make a discovery token: %w", err)
	}
	return c.Token, nil
}

// v3DialTimeout is the default of etcd's --discovery-dial-timeout.
const v3DialTimeout = 2 * time.Second

// create makes the token.
func (v *V3) create(ctx context.Context, size int) error {
	key := v.key(registry.Size)
	err := v.ask(ctx, func(ctx context.Context, kv clientv3.KV) error {
		_, err := kv.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(clientv3.OpPut(key, strconv.Itoa(size))).Commit()
		return err
	})
	if err == nil {
		return nil
	}
	told := fmt.Errorf("%s: %s", strings.Join(v.c.Endpoints, ","), v3Reason(err))
	switch {
	case noEtcd3(err):
		return &joiner.Refusal{Err: fmt.Errorf("%w (%s)", told, ofV3)}
	case v3Refuses(err):
		return &joiner.Refusal{Err: told}
	case v3Down(err):
		return &Unavailable{told}
	}
	return told
}
