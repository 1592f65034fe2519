package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/discovery/server"
	"github.com/sttts/elastic-etcd/joiner"
)

func (a *app) discoveryCommand() *cli.Command {
	return a.apart(&cli.Command{
		Name:     "discovery",
		Usage:    "the self-hosted discovery service",
		Commands: []*cli.Command{a.discoveryServe(), a.discoveryNew()},
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return usagef("elastic-etcd discovery needs a command: serve or new")
		},
	})
}

func (a *app) discoveryServe() *cli.Command {
	return a.apart(&cli.Command{
		Name:      "serve",
		Usage:     "serves etcd's discovery protocol from one file",
		UsageText: "elastic-etcd discovery serve [--listen ADDRESS] [--data FILE] [--url URL]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8087", Usage: "the `address` to serve at", Sources: env("discovery-listen")},
			&cli.StringFlag{Name: "data", Value: "elastic-etcd-discovery.db", Usage: "the `file` that keeps the registrations", Sources: env("discovery-data")},
			&cli.StringFlag{Name: "url", Usage: "the `url` under which clients reach the service (default: as they asked)", Sources: env("discovery-url")},
		},
		Action: a.serve,
	})
}

func (a *app) serve(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	log, err := newLogger(c, a.stderr)
	if err != nil {
		return err
	}
	store, err := server.Open(c.String("data"))
	if err != nil {
		return unexpected(err)
	}
	defer store.Close()
	handler, err := server.New(store, server.Options{BaseURL: c.String("url"), Report: func(err error) { log.Error(err) }})
	if err != nil {
		return usagef("--url: %w", err)
	}
	l, err := net.Listen("tcp", c.String("listen"))
	if err != nil {
		return unexpected(fmt.Errorf("serve discovery: %w", err))
	}
	log.Infof("serving discovery at http://%s from %s", l.Addr(), c.String("data"))
	if err := server.Serve(ctx, l, handler); err != nil {
		return unexpected(err)
	}
	log.Info("stopped")
	return nil
}

func (a *app) discoveryNew() *cli.Command {
	return a.apart(&cli.Command{
		Name:      "new",
		Usage:     "makes a discovery token and prints its url",
		UsageText: "elastic-etcd discovery new [--server URL] [--size N]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "server", Value: "http://127.0.0.1:8087", Usage: "the `url` of the discovery service", Sources: env("discovery-server")},
			&cli.IntFlag{Name: "size", Value: 3, Usage: "the `number` of founders"},
		},
		Action: a.newToken,
	})
}

func (a *app) newToken(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	base, err := url.Parse(c.String("server"))
	if err != nil || base.Host == "" {
		return usagef("--server=%s is not a URL such as http://127.0.0.1:8087", c.String("server"))
	}
	if size := c.Int("size"); size < 1 || size > joiner.MaxDiscoverySize {
		return usagef("--size=%d is not a size from 1 to %d", size, joiner.MaxDiscoverySize)
	}
	token, err := requestToken(ctx, base.JoinPath("new"), c.Int("size"))
	if err != nil {
		return unexpected(fmt.Errorf("make a discovery token: %w", err))
	}
	_, err = fmt.Fprintln(a.stdout, token)
	return err
}

// requestToken asks for a token as curl would. The answer must be a URL and
// nothing else, since it ends in scripts.
func requestToken(ctx context.Context, u *url.URL, size int) (string, error) {
	u.RawQuery = url.Values{"size": {fmt.Sprint(size)}}.Encode()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
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
