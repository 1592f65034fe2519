package cli

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/discovery/server"
	"github.com/sttts/elastic-etcd/discovery/server/etcdstore"
	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/smallfile"
)

func (a *app) discoveryServe() *cli.Command {
	return a.apart(&cli.Command{
		Name:      "serve",
		Usage:     "serves etcd's discovery protocol from one file, or from an etcd cluster",
		UsageText: "elastic-etcd discovery serve [--listen ADDRESS] [--data FILE | --endpoints URLS] [options]",
		Flags: append(a.storeFlags(), []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8087", Usage: "the `address` to serve at, unless systemd hands a socket over", Sources: a.env("discovery-listen")},
			&cli.DurationFlag{Name: "expire", Value: 30 * 24 * time.Hour, Usage: "how long a token stays of which not all founders came (0: for ever); others stay anyway", Sources: a.env("discovery-expire")},
			&cli.StringFlag{Name: "url", Usage: "the `url` under which clients reach the service (default: as they asked)", Sources: a.env("discovery-url")},
			&cli.StringFlag{Name: "cert-file", Usage: "serve TLS with this certificate `file`", Sources: a.env("discovery-cert-file")},
			&cli.StringFlag{Name: "key-file", Usage: "the key `file` of --cert-file", Sources: a.env("discovery-key-file")},
			&cli.StringFlag{Name: "trusted-ca-file", Usage: "ask clients for a certificate of the CA in this `file`", Sources: a.env("discovery-trusted-ca-file")},
			&cli.BoolFlag{Name: "client-cert-auth", Usage: "insist on --trusted-ca-file, as etcd spells it", Sources: a.env("discovery-client-cert-auth")},
			&cli.StringFlag{Name: "new-token-file", Usage: "make tokens only for who sends the secret in this `file` (Authorization: Bearer SECRET)", Sources: a.env("discovery-new-token-file")},
			&cli.FloatFlag{Name: "rate", Value: 2000, Usage: "the `number` of requests a second from one address (0: no limit, for behind a load balancer)", Sources: a.env("discovery-rate")},
			&cli.FloatFlag{Name: "new-rate", Value: 20, Usage: "the `number` of tokens made a second for one address (0: no limit)", Sources: a.env("discovery-new-rate")},
		}...),
		Action: a.serve,
	})
}

// serve listens before it opens the file, so that a wrong address leaves no
// file behind.
func (a *app) serve(ctx context.Context, c *cli.Command) error {
	if err := noArguments(c); err != nil {
		return err
	}
	if err := a.checkServe(c); err != nil {
		return err
	}
	log, err := newServiceLogger(c, a.stderr)
	if err != nil {
		return err
	}
	l, err := discoveryListener(c)
	if err != nil {
		return err
	}
	defer l.Close()
	handler, store, err := a.discoveryServer(c, log)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := probe(ctx, store, log); err != nil {
		return err
	}
	log.Infof("serving discovery at %s://%s from %s", scheme(c), l.Addr(), storeName(c))
	notify(daemon.SdNotifyReady, "STATUS=serving at "+l.Addr().String())
	defer keepAlive(store)()
	defer expire(c.Duration("expire"), store, log)()
	context.AfterFunc(ctx, func() { notify(daemon.SdNotifyStopping) })
	if err := server.Serve(ctx, l, handler); err != nil {
		return unexpected(err)
	}
	log.Info("stopped")
	return nil
}

func (a *app) discoveryServer(c *cli.Command, log *logrus.Logger) (*server.Server, server.Store, error) {
	options := server.Options{BaseURL: c.String("url"), Rate: c.Float("rate"), NewRate: c.Float("new-rate"), Report: func(err error) { log.Error(err) }}
	options.Served = func(r server.Served) {
		log.WithFields(logrus.Fields{"what": r.What, "method": r.Method, "code": r.Code, "token": r.Token, "remote": r.Remote, "took": r.Took}).Log(servedLevel(r), "served")
	}
	if file := c.String("new-token-file"); file != "" {
		secret, err := readSecret(file)
		if err != nil {
			return nil, nil, usagef("--new-token-file: %w", err)
		}
		options.MayCreate = func(sent string) bool { return subtle.ConstantTimeCompare([]byte(sent), []byte(secret)) == 1 }
	}
	if err := options.Check(); err != nil {
		return nil, nil, usagef("--url: %w", err)
	}
	store, err := a.openStore(c)
	if err != nil {
		return nil, nil, err
	}
	handler, err := server.New(store, options)
	return handler, store, err
}

// servedLevel is how much a request matters: changes are what people look for
// later. Failures of the store are reported apart, and refusals are counted:
// nobody shall fill the log.
func servedLevel(r server.Served) logrus.Level {
	if r.Changed() {
		return logrus.InfoLevel
	}
	return logrus.DebugLevel
}

// readSecret reads the one line of a file.
func readSecret(file string) (string, error) {
	b, err := smallfile.Read(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(b))
	if len(secret) < 16 || strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("%s: want one line of 16 characters or more", file)
	}
	return secret, nil
}

func scheme(c *cli.Command) string {
	if c.String("cert-file") != "" {
		return "https"
	}
	return "http"
}

// probeTime is how long a store may take to answer for the first time. It bounds
// the start too: a service whose store is down serves as soon as that is up.
const probeTime = 2 * time.Second

// probe warns of a store that cannot be read: a wrong address shall not first be
// seen by a host that boots. A wrong password needs a human.
func probe(ctx context.Context, store server.Store, log *logrus.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	_, err := store.Load(ctx, "")
	switch {
	case errors.Is(err, etcdstore.ErrLogin):
		return &failure{joiner.ExitNeedsHuman, err}
	case err != nil && !errors.Is(err, server.ErrUnknownToken):
		log.Warnf("the store cannot be read, and is tried again with every request: %v", err)
	}
	return nil
}

// keepAlive tells systemd's watchdog, if there is one, that the store still
// says something: a restart mends one that hangs, and not one that fails.
func keepAlive(store server.Store) (stop func()) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for pause(ctx, every/2) {
			_, _ = store.Load(ctx, "")
			notify(daemon.SdNotifyWatchdog)
		}
	}()
	return cancel
}

// expireEvery is how often tokens are looked through for old ones.
const expireEvery = time.Hour

// expire drops tokens that never got complete, until it is stopped.
func expire(age time.Duration, store server.Store, log *logrus.Logger) (stop func()) {
	if age <= 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.ExpireEvery(ctx, store, age, expireEvery, func(n int, err error) {
			if n > 0 {
				log.Infof("%d discovery tokens that never got complete have expired", n)
			}
			if err != nil {
				log.Error(err)
			}
		})
	}()
	return func() { cancel(); <-done }
}

// discoveryListener is the socket that systemd hands over, or one of our own.
func discoveryListener(c *cli.Command) (net.Listener, error) {
	if c.Bool("client-cert-auth") && c.String("trusted-ca-file") == "" {
		return nil, usagef("--client-cert-auth needs --trusted-ca-file")
	}
	config, err := serverTLS(c.String("cert-file"), c.String("key-file"), c.String("trusted-ca-file"))
	if err != nil {
		return nil, usagef("%w", err)
	}
	l, err := inherited()
	if err == nil && l == nil {
		if c.String("listen") == "" { // any port of any address is meant by nobody
			return nil, usagef("--listen: want an address such as 127.0.0.1:8087")
		}
		l, err = net.Listen("tcp", c.String("listen"))
	}
	if err != nil {
		return nil, unexpected(fmt.Errorf("serve discovery: %w", err))
	}
	return overTLS(l, config), nil
}
