package smallfile

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// KeyPair is tls.LoadX509KeyPair by way of Read.
func KeyPair(cert, key string) (tls.Certificate, error) {
	certPEM, err := Read(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := Read(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
}

// ErrNoCertificate is of a file that should have one.
var ErrNoCertificate = errors.New("has no PEM certificate")

// AddCAs adds the certificates in a file to those that are believed.
func AddCAs(pool *x509.CertPool, path string) error {
	pem, err := Read(path)
	if err != nil {
		return err
	}
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s %w", path, ErrNoCertificate)
	}
	return nil
}
