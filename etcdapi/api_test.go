package etcdapi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNewErrors(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		config Config
		want   []string
	}{
		"no CA":          {Config{Client: TLSFiles{CA: "/nonexistent/ca"}}, []string{"client", "/nonexistent/ca"}},
		"bad CA":         {Config{Peer: TLSFiles{CA: garbage}}, []string{"peer", garbage}},
		"no key":         {Config{Client: TLSFiles{Cert: garbage}}, []string{garbage, "without a key"}},
		"no certificate": {Config{Client: TLSFiles{Key: garbage}}, []string{garbage, "without a certificate"}},
		"bad pair":       {Config{Peer: TLSFiles{Cert: garbage, Key: garbage}}, []string{"peer", garbage}},
		"missing pair":   {Config{Client: TLSFiles{Cert: "/nonexistent/c", Key: garbage}}, []string{"/nonexistent/c"}},
		"no port":        {Config{Endpoints: []string{"http://127.0.0.1"}}, []string{"http://127.0.0.1", "scheme://host:port"}},
		"socket":         {Config{Endpoints: []string{"unix:///run/etcd"}}, []string{"unix:///run/etcd"}},
		"path":           {Config{Endpoints: []string{"http://h:1/v2/keys"}}, []string{"http://h:1/v2/keys", "nothing behind it"}},
		"other scheme":   {Config{Endpoints: []string{"ftp://h:1"}}, []string{"ftp://h:1", "http or https"}},
	}
	for name, test := range tests {
		_, err := New(test.config)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, want %q", name, err, want)
			}
		}
	}
}

func TestContacts(t *testing.T) {
	a := newTestAPI(t, patient, "10.0.0.1:2379", "https://[::1]:2379/")
	if got := []string{a.endpoints[0].url, a.endpoints[1].url}; got[0] != "http://10.0.0.1:2379" || got[1] != "https://[::1]:2379" {
		t.Errorf("endpoints %q", got)
	}
	a.clientPort = 4001
	for peer, want := range map[string]string{
		"http://10.0.0.1:2380": "http://10.0.0.1:4001",
		"https://[::1]:2380":   "https://[::1]:4001",
		"https://host:7001":    "https://host:4001",
	} {
		if got := a.guess(contact{peerPort, peer}); got != (contact{clientPort, want}) {
			t.Errorf("guess for %s is %v, want %s", peer, got, want)
		}
	}
	a.clientScheme = "https"
	if got := a.guess(contact{peerPort, "http://10.0.0.1:2380"}).url; got != "https://10.0.0.1:4001" {
		t.Errorf("guess with TLS files is %s", got)
	}
}
