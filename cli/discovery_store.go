package cli

import (
	"crypto/tls"
	"errors"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/sttts/elastic-etcd/discovery/server"
	"github.com/sttts/elastic-etcd/discovery/server/etcdstore"
	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/joiner"
)

// storeFlags say where the discovery service keeps its data. Their variables
// are not those of a host that asks a service.
func (a *app) storeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "data", Value: "elastic-etcd-discovery.db", Usage: "the `file` that keeps the registrations", Sources: a.env("discovery-data")},
		&cli.IntFlag{Name: "data-limit", Value: 1024, Usage: "the `megabytes` in --data beyond which it takes no more tokens, or in the etcd's database if that tells no quota (0: no limit)", Sources: a.env("discovery-data-limit")},
		&cli.StringFlag{Name: "endpoints", Usage: "client `urls` of an etcd 3 that keeps them instead, for any number of instances", Sources: a.env("discovery-store-endpoints")},
		&cli.StringFlag{Name: "cacert", Usage: "CA `file` to verify https --endpoints with", Sources: a.env("discovery-store-cacert")},
		&cli.StringFlag{Name: "cert", Usage: "certificate `file` to show to them", Sources: a.env("discovery-store-cert")},
		&cli.StringFlag{Name: "key", Usage: "key `file` of --cert", Sources: a.env("discovery-store-key")},
		&cli.StringFlag{Name: "user", Usage: "`name` of a user of that etcd", Sources: a.env("discovery-store-user")},
		&cli.StringFlag{Name: "password-file", Usage: "`file` with the password of --user (or the variable ELASTIC_ETCD_PASSWORD)", Sources: a.env("discovery-store-password-file")},
	}
}

// storeName is where the data is, for people.
func storeName(c *cli.Command) string {
	if endpoints := c.String("endpoints"); endpoints != "" {
		return "the etcd at " + endpoints
	}
	return c.String("data")
}

func (a *app) openStore(c *cli.Command) (server.Store, error) {
	endpoints, limit := list(c.String("endpoints")), int64(c.Int("data-limit"))<<20
	if len(endpoints) == 0 {
		store, err := server.Open(c.String("data"))
		if errors.Is(err, server.ErrDamaged) || errors.Is(err, server.ErrForeign) {
			return nil, &failure{joiner.ExitNeedsHuman, err}
		}
		if err != nil {
			return nil, unexpected(err)
		}
		store.Bound(limit)
		return store, nil
	}
	if strings.Contains(c.String("endpoints"), "@") {
		return nil, usagef("--endpoints: a user or password in a URL is not supported: give --user")
	}
	as, err := a.readCredentials(c)
	if err != nil {
		return nil, err
	}
	config, err := storeTLS(c, endpoints)
	if err != nil {
		return nil, usagef("%w", err)
	}
	store, err := etcdstore.Open(etcdstore.Config{Endpoints: endpoints, TLS: config, User: as.User, Password: as.Password, Limit: limit})
	if err != nil {
		return nil, unexpected(err)
	}
	return store, nil
}

// storeTLS is nil where everything is in the clear.
func storeTLS(c *cli.Command, endpoints []string) (*tls.Config, error) {
	files := etcdapi.TLSFiles{CA: c.String("cacert"), Cert: c.String("cert"), Key: c.String("key")}
	https := files != etcdapi.TLSFiles{}
	for _, e := range endpoints {
		https = https || strings.HasPrefix(e, "https://")
	}
	if !https {
		return nil, nil
	}
	return files.Load()
}
