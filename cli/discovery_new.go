package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/discovery"
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
-discovery-token of etcd 3.6 and later, in the etcd 3 at -discovery-endpoints.

Ends with 75 where nobody answers now (also a 5xx or a 429), with 78 where we
are not let in (401, 403, TLS) or somebody answers who makes no tokens.`,
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
	makeToken := tokenOfServer
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
func tokenOfServer(ctx context.Context, c *cli.Command, size int) (string, error) {
	base, err := url.Parse(c.String("server"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return "", usagef("--server=%s is not a URL such as http://127.0.0.1:8087", joiner.ShownURL(c.String("server")))
	}
	if base.User != nil {
		return "", usagef("--server: a user or password in a URL is not supported, since the token would have it")
	}
	client, secret, err := tokenClient(c)
	if err != nil {
		return "", usagef("%w", err)
	}
	var token string
	if c.Bool("v2") {
		token, err = discovery.NewV2Token(ctx, client, base, size)
	} else {
		token, err = discovery.NewToken(ctx, client, base, secret, size)
	}
	if err != nil {
		return "", notMade(err)
	}
	return token, nil
}

// notMade is how a run ends that made no token.
func notMade(err error) error {
	var refusal *joiner.Refusal
	var unavailable *discovery.Unavailable
	switch {
	case errors.As(err, &refusal):
		return &failure{joiner.ExitNeedsHuman, err}
	case errors.As(err, &unavailable):
		return &failure{joiner.ExitNotNow, err}
	}
	return unexpected(err)
}

// tokenOfEtcd3 makes a token that is a word.
func (a *app) tokenOfEtcd3(ctx context.Context, c *cli.Command, size int) (string, error) {
	endpoints := list(c.String("endpoints"))
	switch {
	case len(endpoints) == 0:
		return "", usagef("--endpoints=%q has no URL", c.String("endpoints"))
	case strings.Contains(c.String("endpoints"), "@"):
		return "", usagef("--endpoints: a user or password in a URL is not supported: give --user")
	}
	as, err := a.readCredentials(c)
	if err != nil {
		return "", err
	}
	config, err := storeTLS(c, endpoints)
	if err != nil {
		return "", usagef("%w", err)
	}
	token, err := discovery.NewV3Token(ctx, discovery.V3Etcd{Endpoints: endpoints, TLS: config, User: as.User, Password: as.Password}, size)
	if err != nil {
		return "", notMade(err)
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
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config},    // as who asks for the token later
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token would be elsewhere
	}
	if c.String("token-file") == "" {
		return client, "", nil
	}
	secret, err := readSecret(c.String("token-file"))
	return client, secret, err
}

// discoveryTimeout bounds what the making of a token takes.
const discoveryTimeout = 30 * time.Second
