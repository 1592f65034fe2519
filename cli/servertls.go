package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/sttts/elastic-etcd/smallfile"
)

// serverTLS reads the files of a service, nil where it serves in the clear; a
// renewed certificate is served within a minute. With a CA, clients must show a certificate of it.
func serverTLS(cert, key, ca string) (*tls.Config, error) {
	switch {
	case cert == "" && key == "" && ca == "":
		return nil, nil
	case cert == "" || key == "":
		return nil, errors.New("TLS needs both --cert-file and --key-file")
	}
	pair := &keyPair{cert: cert, key: key}
	if err := pair.read(); err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.current}
	if ca == "" {
		return config, nil
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if err := smallfile.AddCAs(config.ClientCAs, ca); err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	return config, nil
}

// keyPair is a certificate that somebody renews while it is served.
type keyPair struct {
	cert, key string

	mu     sync.Mutex // of what follows
	loaded *tls.Certificate
	looked time.Time
}

// renewEvery is how often the files are read again.
const renewEvery = time.Minute

func (p *keyPair) read() error {
	pair, err := smallfile.KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("read certificate %s and key %s: %w", p.cert, p.key, err)
	}
	p.loaded, p.looked = &pair, time.Now()
	return nil
}

// current is the certificate of the files; while they make no sense, as halfway
// through a renewal, the one before.
func (p *keyPair) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.looked) > renewEvery {
		if p.read() != nil {
			p.looked = time.Now()
		}
	}
	return p.loaded, nil
}

func overTLS(l net.Listener, config *tls.Config) net.Listener {
	if config == nil {
		return l
	}
	return tls.NewListener(l, config)
}

// inherited is the one socket that systemd hands over, nil without one.
func inherited() (net.Listener, error) {
	listeners, err := activation.Listeners()
	switch {
	case err != nil:
		return nil, err
	case len(listeners) > 1:
		return nil, fmt.Errorf("systemd hands over %d sockets, want one", len(listeners))
	case len(listeners) == 0:
		return nil, nil
	case listeners[0] == nil:
		return nil, errors.New("what systemd hands over is no listening socket")
	}
	return listeners[0], nil
}
