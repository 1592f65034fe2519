package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

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
	pair, err := smallfile.ReadRenewed(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s and key %s: %w", cert, key, err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.ForServer}
	if ca == "" {
		return config, nil
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if err := smallfile.AddCAs(config.ClientCAs, ca); err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	return config, nil
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
