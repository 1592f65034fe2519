package etcdapi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/sttts/elastic-etcd/smallfile"
)

// TLSFiles are the paths of PEM files. CA: who is believed, default the
// system's authorities. Cert and Key: who we are, default nobody; either both
// or none.
type TLSFiles struct {
	CA, Cert, Key string
}

// Load reads the files. Servers are always verified. A certificate that is
// renewed later is shown within a minute; a new CA is not seen.
func (f TLSFiles) Load() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if err := f.loadCA(c); err != nil {
		return nil, err
	}
	return c, f.loadCert(c)
}

func (f TLSFiles) loadCA(c *tls.Config) error {
	if f.CA == "" {
		return nil
	}
	c.RootCAs = x509.NewCertPool()
	if err := smallfile.AddCAs(c.RootCAs, f.CA); err != nil {
		return fmt.Errorf("read CA: %w", err)
	}
	return nil
}

func (f TLSFiles) loadCert(c *tls.Config) error {
	switch {
	case f.Cert == "" && f.Key == "":
		return nil
	case f.Key == "":
		return fmt.Errorf("certificate %s comes without a key", f.Cert)
	case f.Cert == "":
		return fmt.Errorf("key %s comes without a certificate", f.Key)
	}
	pair, err := smallfile.ReadRenewed(f.Cert, f.Key)
	if pathErr := (*os.PathError)(nil); errors.As(err, &pathErr) {
		return fmt.Errorf("read certificate and key: %w", err)
	}
	if err != nil {
		return fmt.Errorf("read certificate %s and key %s: %w", f.Cert, f.Key, err)
	}
	c.GetClientCertificate = pair.ForClient
	return nil
}

// Check tells whether the files can be used.
func (f TLSFiles) Check() error {
	_, err := f.Load()
	return err
}
