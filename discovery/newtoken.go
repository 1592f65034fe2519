package discovery

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/sttts/elastic-etcd/discovery/registry"
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
	return tokenURL(u.Host, res, strings.TrimSpace(string(body)))
}

// tokenURL wants a URL and nothing else, since it ends in scripts.
func tokenURL(host string, res *http.Response, answer string) (string, error) {
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s: %q", host, res.Status, answer)
	}
	if t, err := url.Parse(answer); err != nil || t.Host == "" || strings.ContainsAny(answer, " \t\n\"'`$\\") {
		return "", fmt.Errorf("%s answered no URL: %.200q", host, answer)
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
		return fmt.Errorf("%s serves no v2 keys (an etcd 3.4 or 3.5 needs --enable-v2; later ones have none: use --endpoints)", host)
	}
	return fmt.Errorf("%s answered %s: %q", host, res.Status, strings.TrimSpace(string(body)))
}

// maxTokenAnswer bounds the answer to who makes a token, in bytes.
const maxTokenAnswer = 4096

// exchange gives the answer to a request, and its body.
func exchange(client *http.Client, req *http.Request) (*http.Response, []byte, error) {
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTokenAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer of %s: %w", req.URL.Host, err)
	}
	return res, body, nil
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
	token := registry.NewToken()
	if err := createV3(ctx, etcd, path.Join(registry.Dir, token, registry.Size), size); err != nil {
		return "", fmt.Errorf("make a discovery token: %w", err)
	}
	return token, nil
}

// v3DialTimeout leaves time for a request after it.
const v3DialTimeout = 10 * time.Second

func createV3(ctx context.Context, etcd V3Etcd, key string, size int) error {
	client, err := clientv3.New(clientv3.Config{
		Context: ctx, Endpoints: etcd.Endpoints, TLS: etcd.TLS, Username: etcd.User, Password: etcd.Password,
		DialTimeout: v3DialTimeout, Logger: zap.NewNop(),
	})
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(clientv3.OpPut(key, strconv.Itoa(size))).Commit()
	return err
}
