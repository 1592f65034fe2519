package discovery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sttts/elastic-etcd/joiner"
)

// maxListed bounds the members of a list that is given.
const maxListed = joiner.MaxDiscoverySize

// Static is a list that the admin gives, as etcd's --initial-cluster.
type Static struct {
	token string
	peers []joiner.Peer
}

// staticSource is the flag, for people.
const staticSource = "-initial-cluster"

// NewStatic reads name=url[,name=url...]; several URLs of one name are one
// member, as for etcd (client/pkg/types/urlsmap.go).
func NewStatic(list, token string) (*Static, error) {
	s := &Static{token: token}
	for _, pair := range strings.Split(list, ",") {
		name, url, found := strings.Cut(strings.TrimSpace(pair), "=")
		if !found || name == "" || url == "" {
			return nil, fmt.Errorf("%s is not name=url[,name=url...]", quote(joiner.ShownURL(pair)))
		}
		if s.put(name, url); len(s.peers) > maxListed {
			return nil, fmt.Errorf("more than %d members are listed", maxListed)
		}
	}
	return s, s.check()
}

func (s *Static) put(name, url string) {
	for i := range s.peers {
		if s.peers[i].Name == name {
			s.peers[i].URLs = append(s.peers[i].URLs, url)
			return
		}
	}
	s.peers = append(s.peers, joiner.Peer{Name: name, URLs: []string{url}})
}

func (s *Static) check() error {
	holder := map[string]string{}
	for i, p := range s.peers {
		urls, err := joiner.PeerURLs(p.URLs)
		if err != nil {
			return fmt.Errorf("member %s: %w", quote(p.Name), err)
		}
		for _, u := range urls {
			if other, held := holder[u]; held {
				return fmt.Errorf("members %s and %s have the same peer URL %s", quote(other), quote(p.Name), quote(u))
			}
			holder[u] = p.Name
		}
		s.peers[i].URLs = urls
	}
	return nil
}

// Hint tells where the listed members are.
func (s *Static) Hint(context.Context) joiner.Hint {
	h := joiner.Hint{Source: staticSource}
	for _, p := range s.peers {
		h.PeerURLs = append(h.PeerURLs, p.URLs...)
	}
	return h
}

// Look gives the list as founders: on the admin's word alone.
func (s *Static) Look(context.Context) joiner.Discovery {
	d := joiner.Discovery{Kind: joiner.KindStatic, Source: staticSource, Token: s.token, Size: len(s.peers)}
	for _, p := range s.peers {
		d.Entries = append(d.Entries, joiner.Registration(p.Name, p.URLs, s.token))
	}
	return d
}

// Register is never asked for: a list holds no registrations.
func (s *Static) Register(context.Context, joiner.Entry) error {
	return errors.New(staticSource + " holds no registrations")
}
