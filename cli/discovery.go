package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
)

// discoveryCommand has subcommands, of which the flag library shows the flags
// of a decision as well, whatever the template is, unless they are hidden. So
// they are, and the help and the completion list them by themselves.
func (a *app) discoveryCommand() *cli.Command {
	c := a.apart(&cli.Command{
		Name:          "discovery",
		Usage:         "the self-hosted discovery service",
		UsageText:     "elastic-etcd discovery COMMAND [options]",
		Commands:      []*cli.Command{a.discoveryServe(), a.discoveryNew()},
		Action:        discoveryAlone,
		ShellComplete: completeHidden,
	})
	for _, sub := range c.Commands {
		sub.Hidden = true
	}
	c.CustomHelpTemplate = strings.NewReplacer("{{if .VisibleCommands}}", "{{if .Commands}}", `{{template "visibleCommandTemplate" .}}`, hiddenCommands).Replace(c.CustomHelpTemplate)
	return c
}

// hiddenCommands is the part of a help template that lists them.
const hiddenCommands = `{{range .Commands}}{{if ne .Name "help"}}
   {{.Name}}{{"\t"}}{{.Usage}}{{end}}{{end}}`

func completeHidden(_ context.Context, c *cli.Command) {
	for _, sub := range c.Commands {
		fmt.Fprintln(c.Root().Writer, sub.Name)
	}
}

// discoveryAlone is for whoever names no subcommand.
func discoveryAlone(_ context.Context, c *cli.Command) error {
	var names []string
	for _, sub := range c.Commands {
		if sub.Name != "help" {
			names = append(names, sub.Name)
		}
	}
	if c.Args().Present() {
		return usagef("%q is not a command of %s (there are: %s)", c.Args().First(), c.FullName(), strings.Join(names, ", "))
	}
	return usagef("elastic-etcd discovery needs a command: %s", strings.Join(names, " or "))
}

func (a *app) discoveryNew() *cli.Command {
	return a.apart(&cli.Command{
		Name:      "new",
		Usage:     "makes a discovery token and prints its url",
		UsageText: "elastic-etcd discovery new [--server URL] [--size N]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "server", Value: "http://127.0.0.1:8087", Usage: "the `url` of the discovery service", Sources: env("discovery-server")},
			&cli.IntFlag{Name: "size", Value: 3, Usage: "the `number` of founders"},
			&cli.StringFlag{Name: "cacert", Usage: "CA `file` to verify an https server with", Sources: env("cacert")},
			&cli.StringFlag{Name: "cert", Usage: "certificate `file` to show to it", Sources: env("cert")},
			&cli.StringFlag{Name: "key", Usage: "key `file` of --cert", Sources: env("key")},
			&cli.StringFlag{Name: "token-file", Usage: "the `file` with the secret that the service wants (--new-token-file there)"},
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
	client, secret, err := tokenClient(c)
	if err != nil {
		return usagef("%w", err)
	}
	token, err := requestToken(ctx, client, secret, base.JoinPath("new"), c.Int("size"))
	if err != nil {
		return unexpected(fmt.Errorf("make a discovery token: %w", err))
	}
	_, err = fmt.Fprintln(a.stdout, token)
	return err
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

// requestToken asks for a token as curl would. The answer must be a URL and
// nothing else, since it ends in scripts.
func requestToken(ctx context.Context, client *http.Client, secret string, u *url.URL, size int) (string, error) {
	u.RawQuery = url.Values{"size": {fmt.Sprint(size)}}.Encode()
	ctx, cancel := context.WithTimeout(ctx, discoveryTimeout)
	defer cancel()
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
