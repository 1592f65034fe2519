package smallfile

import (
	"crypto/tls"
	"strings"
	"sync"
	"time"
)

// renewEvery is how often the files of a certificate are read again, at most:
// what a handshake costs is for others to choose.
const renewEvery = time.Minute

// Renewed is a certificate with its key that somebody renews while it is used,
// by a server or by a client that lives for months.
type Renewed struct {
	cert, key string

	mu     sync.Mutex // of what follows
	loaded *tls.Certificate
	looked time.Time
}

// ReadRenewed reads the two files for the first time. Errors are those of
// KeyPair.
func ReadRenewed(cert, key string) (*Renewed, error) {
	r := &Renewed{cert: cert, key: key}
	return r, r.read()
}

func (r *Renewed) read() error {
	r.looked = time.Now()
	pair, err := KeyPair(r.cert, r.key)
	if err == nil {
		r.loaded = &pair
	}
	return err
}

// current is the certificate of the files; while they make no sense, as halfway
// through a renewal, the one before.
func (r *Renewed) current() *tls.Certificate {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.looked) > renewEvery {
		_ = r.read()
	}
	return r.loaded
}

// ForServer is the GetCertificate of a tls.Config.
func (r *Renewed) ForServer(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return r.current(), nil
}

// ForClient is the GetClientCertificate of a tls.Config. As with Certificates,
// a server that does not want ours gets none.
func (r *Renewed) ForClient(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	pair := r.current()
	if asked.SupportsCertificate(pair) != nil {
		return &tls.Certificate{}, nil
	}
	return pair, nil
}

// OutOfDate tells whether TLS failed over a date alone: a certificate is not valid
// yet, or any more, by the clock of either side. That mends: a certificate is
// renewed, and a clock is set. Most errors of TLS come as texts.
func OutOfDate(err error) bool {
	text := err.Error()
	return strings.Contains(text, "certificate has expired or is not yet valid") || strings.Contains(text, "tls: expired certificate")
}
