package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority is a certificate authority for one Lab.
type authority struct {
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	file   string
	client *Certs
	config *tls.Config // of the harness's own clients
}

// Certs are the paths of a certificate, its key and its authority, in PEM.
type Certs struct {
	CA, Cert, Key string
}

// Secure makes all hosts that come after it serve TLS only, to clients and
// peers with a certificate of the CA.
func (l *Lab) Secure() {
	l.t.Helper()
	l.ca = l.newAuthority(filepath.Join(l.dir, "ca.pem"))
	l.ca.client = l.ca.issue(l.t, l.dir, "client")
	l.ca.config = l.ca.clientConfig(l.t)
}

func (l *Lab) newAuthority(file string) *authority {
	l.t.Helper()
	key := newKey(l.t)
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "elastic-etcd test CA"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der := sign(l.t, template, template, key, key)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		l.t.Fatalf("make CA: %v", err)
	}
	writePEM(l.t, file, "CERTIFICATE", der)
	return &authority{cert: cert, key: key, file: file}
}

// ClientCerts are a client's certificate for the hosts of a Secure Lab.
func (l *Lab) ClientCerts() Certs {
	l.t.Helper()
	if l.ca == nil {
		l.t.Fatalf("client certificates: the lab is not secure")
	}
	return *l.ca.client
}

func (ca *authority) clientConfig(t T) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(ca.client.Cert, ca.client.Key)
	if err != nil {
		t.Fatalf("load client certificate: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}
}

// issue writes a certificate for a server at the addresses and for a client:
// etcd's members are both to each other.
func (ca *authority) issue(t T, dir, name string, addrs ...string) *Certs {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, addr := range addrs {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(addr))
	}
	der := sign(t, template, ca.cert, key, ca.key)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("encode key: %v", err)
	}
	c := &Certs{CA: ca.file, Cert: filepath.Join(dir, name+".pem"), Key: filepath.Join(dir, name+"-key.pem")}
	writePEM(t, c.Cert, "CERTIFICATE", der)
	writePEM(t, c.Key, "PRIVATE KEY", keyDER)
	return c
}

func newKey(t T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make key: %v", err)
	}
	return key
}

func sign(t T, template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatalf("make serial number: %v", err)
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(24 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatalf("sign certificate: %v", err)
	}
	return der
}

func writePEM(t T, file, kind string, der []byte) {
	t.Helper()
	data := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatalf("write %s: %v", kind, err)
	}
}

// Certs are those of a host of a Secure Lab.
func (h *Host) Certs() Certs {
	h.lab.t.Helper()
	if h.certs == nil {
		h.lab.t.Fatalf("certificates of %s: the lab is not secure", h.Name)
	}
	return *h.certs
}
