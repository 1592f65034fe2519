package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
)

func (a *app) discoveryNew() *cli.Command {
	return a.apart(&cli.Command{
		Name:      "new",
		Usage:     "makes a discovery token and prints its url",
		UsageText: "elastic-etcd discovery new [--server URL [--v2] | --endpoints URLS] [--size N]",
		Description: `With --server, the token is a URL, for -discovery: of elastic-etcd discovery
serve or a service like it, and with --v2 of an etcd that serves v2 keys (2.3,
or 3.4 and 3.5 with --enable-v2). With --endpoints it is a word, for
-discovery-token of etcd 3.6 and later, in the etcd 3 at -discovery-endpoints.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "server", Value: "http://127.0.0.1:8087", Usage: "the `url` of the discovery service", Sources: a.env("discovery-server")},
			&cli.BoolFlag{Name: "v2", Usage: "the server is an etcd with v2 keys"},
			&cli.StringFlag{Name: "endpoints", Usage: "client `urls` of an etcd 3 to make the token in, separated by commas"},
			&cli.StringFlag{Name: "user", Usage: "`name` of a user of that etcd"},
			&cli.StringFlag{Name: "password-file", Usage: "`file` with the password of --user (or the variable ELASTIC_ETCD_PASSWORD)"},
			&cli.IntFlag{Name: "size", Value: 3, Usage: "the `number` of founders"},
			&cli.StringFlag{Name: "cacert", Usage: "CA `file` to verify an https server with", Sources: a.env("cacert")},
			&cli.StringFlag{Name: "cert", Usage: "certificate `file` to show to it", Sources: a.env("cert")},
			&cli.StringFlag{Name: "key", Usage: "key `file` of --cert", Sources: a.env("key")},
			&cli.StringFlag{Name: "token-file", Usage: "the `file` with the secret that the service wants (--new-token-file there)"},
		},
		Action: a.newToken,
	})
}

func (a *app) newToken(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	size := c.Int("size")
	if size < 1 || size > joiner.MaxDiscoverySize {
		return usagef("--size=%d is not a size from 1 to %d", size, joiner.MaxDiscoverySize)
	}
	if c.String("endpoints") != "" && (c.IsSet("server") || c.Bool("v2")) {
		return usagef("--endpoints makes a v3 token, --server and --v2 do not: give one of them")
	}
	ctx, cancel := context.WithTimeout(ctx, discoveryTimeout)
	defer cancel()
	makeToken := a.tokenOfServer
	if c.String("endpoints") != "" {
		makeToken = a.tokenOfEtcd3
	}
	token, err := makeToken(ctx, c, size)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, token)
	return err
}

// tokenOfServer makes a token that is a URL.
func (a *app) tokenOfServer(ctx context.Context, c *cli.Command, size int) (string, error) {
	base, err := url.Parse(c.String("server"))
	if err != nil || base.Host == "" {
		return "", usagef("--server=%s is not a URL such as http://127.0.0.1:8087", c.String("server"))
	}
	client, secret, err := tokenClient(c)
	if err != nil {
		return "", usagef("%w", err)
	}
	request := func() (string, error) { return requestToken(ctx, client, secret, base.JoinPath("new"), size) }
	if c.Bool("v2") {
		request = func() (string, error) { return tokenOfEtcd2(ctx, client, base, size) }
	}
	token, err := request()
	if err != nil {
		return "", unexpected(fmt.Errorf("make a discovery token: %w", err))
	}
	return token, nil
}

// tokenClient is who asks for tokens, and the secret that it sends.
func tokenClient(c *cli.Command) (*http.Client, string, error) {
	config, err := etcdapi.TLSFiles{CA: c.String("cacert"), Cert: c.String("cert"), Key: c.String("key")}.Load()
	if err != nil {
		return nil, "", err
	}
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: config},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("it redirects elsewhere") },
	}
	if c.String("token-file") == "" {
		return client, "", nil
	}
	secret, err := readSecret(c.String("token-file"))
	return client, secret, err
}

// discoveryTimeout bounds what the making of a token takes.
const discoveryTimeout = 30 * time.Second

// requestToken asks for a token as curl would. The answer must be a URL and
// nothing else, since it ends in scripts.
func requestToken(ctx context.Context, client *http.Client, secret string, u *url.URL, size int) (string, error) {
	u.RawQuery = url.Values{"size": {fmt.Sprint(size)}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", err
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return "", fmt.Errorf("read the answer of %s: %w", u.Host, err)
	}
	answer := strings.TrimSpace(string(body))
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s: %q", u.Host, res.Status, answer)
	}
	if t, err := url.Parse(answer); err != nil || t.Host == "" || strings.ContainsAny(answer, " \t\n\"'`$\\") {
		return "", fmt.Errorf("%s answered no URL: %.200q", u.Host, answer)
	}
	return answer, nil
}
