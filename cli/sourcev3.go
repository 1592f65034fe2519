package cli

import (
	"strings"

	"github.com/sttts/elastic-etcd/discovery"
	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/smallfile"
)

// readV3 reads etcd's own flags of its v3 discovery.
func readV3(c values, _ settings) (*given, error) {
	token, endpoints := c.String("discovery-token"), list(c.String("discovery-endpoints"))
	switch {
	case token == "" && len(endpoints) == 0:
		return nil, nil
	case token == "":
		return nil, usagef("-discovery-endpoints needs -discovery-token")
	case len(endpoints) == 0:
		return nil, usagef("-discovery-token needs -discovery-endpoints")
	}
	as, err := readDiscoveryUser(c)
	if err != nil {
		return nil, err
	}
	conf := discovery.V3Config{
		Token: token, Endpoints: endpoints, User: as.User, Password: as.Password,
		DialTimeout: c.Duration("discovery-dial-timeout"), RequestTimeout: c.Duration("discovery-request-timeout"),
		KeepAliveTime: c.Duration("discovery-keepalive-time"), KeepAliveTimeout: c.Duration("discovery-keepalive-timeout"),
		CA: c.String("discovery-cacert"), Cert: c.String("discovery-cert"), Key: c.String("discovery-key"),
		InsecureTransport: c.Bool("discovery-insecure-transport"), InsecureSkipVerify: c.Bool("discovery-insecure-skip-tls-verify"),
	}
	open := func() (discovery.Source, error) { return discovery.NewV3(conf) }
	return &given{foundingSource: foundingSource{"-discovery-token", token, open}, founds: true}, nil
}

// readDiscoveryUser reads -discovery-user, as NAME or as etcd's NAME:PASSWORD,
// and finds its password.
func readDiscoveryUser(c values) (etcdapi.Credentials, error) {
	name, inUser, both := strings.Cut(c.String("discovery-user"), ":")
	passwords := []string{c.String("discovery-password")}
	if both {
		passwords = append(passwords, inUser)
	}
	if file := c.String("discovery-password-file"); file != "" {
		password, err := smallfile.Line(file)
		if err != nil {
			return etcdapi.Credentials{}, usagef("-discovery-password-file: %w", err)
		}
		passwords = append(passwords, password)
	}
	return discoveryAuth(name, passwords)
}

func discoveryAuth(name string, passwords []string) (etcdapi.Credentials, error) {
	as := etcdapi.Credentials{User: name}
	for _, p := range passwords {
		switch {
		case p == "":
		case as.Password != "":
			return as, usagef("the password of -discovery-user is given twice: give -discovery-password-file or ELASTIC_ETCD_DISCOVERY_PASSWORD")
		default:
			as.Password = p
		}
	}
	if (as.User == "") != (as.Password == "") {
		return as, usagef("-discovery-user and its password (-discovery-password-file=FILE or ELASTIC_ETCD_DISCOVERY_PASSWORD) come together")
	}
	return as, nil
}
