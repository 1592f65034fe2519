// Package preflight finds out whether other members could find the way back
// to this host: facts about its own peer certificate and peer URLs. What
// follows from them, the joiner decides.
package preflight

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
	"github.com/sttts/elastic-etcd/smallfile"
)

// Files are the PEM files of this host's etcd for its peers; "" = not known.
type Files struct {
	CA, Cert, Key string
}

// Certificate lists what is wrong with the certificate that etcd shows its
// peers at these URLs, at this time. Peers are server and client to each
// other. Nothing is checked where no URL is https or no file is known.
func Certificate(f Files, urls []string, now time.Time) []joiner.Fault {
	hosts := secureHosts(urls)
	if len(hosts) == 0 || f == (Files{}) {
		return nil
	}
	roots, faults := f.roots()
	if f.Cert == "" && f.Key == "" {
		return faults
	}
	chain, more := f.chain()
	faults = append(faults, more...)
	if len(chain) == 0 {
		return faults
	}
	if err := dates(chain[0], now); err != nil {
		faults = append(faults, joiner.Fault{What: f.Cert, Wrong: err.Error(), Dated: true})
	}
	for _, check := range []error{names(chain[0], hosts), usage(chain[0]), signed(chain, roots, now)} {
		if check != nil {
			faults = append(faults, joiner.Fault{What: f.Cert, Wrong: check.Error()})
		}
	}
	return faults
}

func secureHosts(urls []string) []string {
	var hosts []string
	for _, s := range urls {
		if u, err := url.Parse(s); err == nil && u.Scheme == "https" {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// roots reads the peer CA, nil where it is not known.
func (f Files) roots() (*x509.CertPool, []joiner.Fault) {
	if f.CA == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if err := smallfile.AddCAs(pool, f.CA); err != nil {
		return nil, []joiner.Fault{{What: f.CA, Wrong: wrong(err).Error()}}
	}
	return pool, nil
}

// chain reads the certificate and those that come with it, and tries the key.
func (f Files) chain() ([]*x509.Certificate, []joiner.Fault) {
	switch {
	case f.Key == "":
		return nil, []joiner.Fault{{What: f.Cert, Wrong: "comes without a key"}}
	case f.Cert == "":
		return nil, []joiner.Fault{{What: f.Key, Wrong: "comes without a certificate"}}
	}
	cert, err := read(f.Cert)
	if err != nil {
		return nil, []joiner.Fault{{What: f.Cert, Wrong: err.Error()}}
	}
	chain, err := parse(cert)
	if err != nil {
		return nil, []joiner.Fault{{What: f.Cert, Wrong: err.Error()}}
	}
	key, err := read(f.Key)
	if err == nil {
		_, err = tls.X509KeyPair(cert, key)
	}
	if err != nil {
		return chain, []joiner.Fault{{What: f.Key, Wrong: err.Error()}}
	}
	return chain, nil
}

func parse(text []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, smallfile.ErrNoCertificate
	}
	return chain, nil
}

func dates(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(cert.NotBefore):
		return fmt.Errorf("is valid from %s on, and this host's clock says %s", stamp(cert.NotBefore), stamp(now))
	case now.After(cert.NotAfter):
		return fmt.Errorf("was valid until %s, and this host's clock says %s", stamp(cert.NotAfter), stamp(now))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// names wants every host of the peer URLs in the certificate.
func names(cert *x509.Certificate, hosts []string) error {
	for _, host := range hosts {
		if err := cert.VerifyHostname(host); err != nil {
			return fmt.Errorf("does not name %s: %w", host, err)
		}
	}
	return nil
}

// usage wants server and client, where the certificate limits its use.
func usage(cert *x509.Certificate) error {
	has := func(u x509.ExtKeyUsage) bool { return slices.Contains(cert.ExtKeyUsage, u) }
	limited := len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0
	switch {
	case !limited, has(x509.ExtKeyUsageAny):
		return nil
	case !has(x509.ExtKeyUsageServerAuth):
		return errors.New("is not for TLS servers (extended key usage serverAuth)")
	case !has(x509.ExtKeyUsageClientAuth):
		return errors.New("is not for TLS clients (extended key usage clientAuth), and peers are both")
	}
	return nil
}

// signed wants the peer CA behind the certificate. That a date is wrong is
// said elsewhere.
func signed(chain []*x509.Certificate, roots *x509.CertPool, now time.Time) error {
	if roots == nil || dates(chain[0], now) != nil {
		return nil
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("is not signed by the peer CA: %w", err)
	}
	return nil
}

// read reads a file of bounded size. The error does not name it.
func read(path string) ([]byte, error) {
	b, err := smallfile.Read(path)
	if err != nil {
		return nil, wrong(err)
	}
	return b, nil
}

// wrong is what a reader of files says, without the file.
func wrong(err error) error {
	switch where := (*os.PathError)(nil); {
	case errors.Is(err, smallfile.ErrNoCertificate):
		return smallfile.ErrNoCertificate
	case errors.As(err, &where):
		err = where.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}
