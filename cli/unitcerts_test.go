package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sttts/elastic-etcd/etcdapi"
	"github.com/sttts/elastic-etcd/generator"
	"github.com/sttts/elastic-etcd/preflight"
)

// What the unit gives etcd is checked; to ask peers with, it must be of use.
func TestPeerFilesOfTheUnit(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	unit := generator.Unit{WorkingDirectory: "/srv", Environment: map[string]string{
		"ETCD_PEER_TRUSTED_CA_FILE": garbage, "ETCD_PEER_CERT_FILE": "peer.pem", "ETCD_PEER_KEY_FILE": "/etc/peer-key.pem",
	}}
	flags := settings{own: preflight.Files{Cert: "/flag.pem", Key: "/flag-key.pem"}, peer: etcdapi.TLSFiles{Cert: "/flag.pem", Key: "/flag-key.pem"}}
	for _, c := range []struct {
		name      string
		unit      generator.Unit
		given     settings
		own, peer string // certificates
	}{
		{"neither", generator.Unit{}, settings{}, "", ""},
		{"the unit", unit, settings{}, "/srv/peer.pem", ""},
		{"the flags", unit, flags, "/flag.pem", "/flag.pem"},
	} {
		got := (&target{unit: c.unit}).peerFiles(c.given)
		if got.own.Cert != c.own || got.peer.Cert != c.peer {
			t.Errorf("%s: own %+v, peer %+v", c.name, got.own, got.peer)
		}
	}
}
