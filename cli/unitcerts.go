package cli

import (
	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/preflight"
)

// peerFiles takes over the certificate that the unit gives etcd for its peers,
// unless the flags name one: to check it, and, where it can be used, to ask
// peers with. A bad one must not keep a host from resuming.
func (t *target) peerFiles(s settings) settings {
	if s.own != (preflight.Files{}) {
		return s
	}
	s.own = preflight.Files{CA: t.path("peer-trusted-ca-file"), Cert: t.path("peer-cert-file"), Key: t.path("peer-key-file")}
	if files := etcdapi.TLSFiles(s.own); files.Cert != "" && files.Check() == nil {
		s.peer = files
	}
	return s
}

// path is a file of etcd's as the unit names it, "" where it does not.
func (t *target) path(flag string) string {
	value := t.unit.Setting(flag, t.envFile)
	if value == "" {
		return ""
	}
	return t.unit.Path(value)
}
