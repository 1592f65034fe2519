package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// registry is where etcd's own v3 discovery has its tokens, and the public
// service had those of v2.
const registry = "/_etcd/registry/"

// randomToken has 128 bits, as those of the service.
func randomToken() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}

// tokenOfEtcd2 makes a token in the v2 keys of an etcd, by hand as its
// documentation says.
func tokenOfEtcd2(ctx context.Context, client *http.Client, base *url.URL, size int) (string, error) {
	token := base.JoinPath("v2/keys" + registry + randomToken())
	key := token.JoinPath("_config/size")
	key.RawQuery = "prevExist=false"
	form := url.Values{"value": {strconv.Itoa(size)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, key.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return "", fmt.Errorf("read the answer of %s: %w", base.Host, err)
	}
	return token.String(), createdKey(base.Host, res, body)
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

// tokenOfEtcd3 makes a token as etcd 3.6 wants it (v3discovery/discovery.go).
func (a *app) tokenOfEtcd3(ctx context.Context, c *cli.Command, size int) (string, error) {
	endpoints := list(c.String("endpoints"))
	as, err := a.readCredentials(c)
	if err != nil {
		return "", err
	}
	config, err := storeTLS(c, endpoints)
	if err != nil {
		return "", usagef("%w", err)
	}
	client, err := clientv3.New(clientv3.Config{Context: ctx, Endpoints: endpoints, TLS: config, Username: as.User, Password: as.Password,
		DialTimeout: discoveryTimeout / 3, Logger: zap.NewNop()})
	if err != nil {
		return "", unexpected(fmt.Errorf("make a discovery token: %w", err))
	}
	defer client.Close()
	token := randomToken()
	key := registry + token + "/_config/size"
	_, err = client.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(clientv3.OpPut(key, strconv.Itoa(size))).Commit()
	if err != nil {
		return "", unexpected(fmt.Errorf("make a discovery token: %w", err))
	}
	return token, nil
}
