package smallfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// selfSigned writes a certificate with this serial number, and its key.
func selfSigned(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A certificate is renewed while it is used, by a server or a client; half of a
// renewal is none.
func TestCertificateIsRenewed(t *testing.T) {
	for name, shown := range map[string]func(*Renewed) (*tls.Certificate, error){
		"server": func(r *Renewed) (*tls.Certificate, error) { return r.ForServer(nil) },
		"client": func(r *Renewed) (*tls.Certificate, error) { return r.ForClient(asked(tls.ECDSAWithP256AndSHA256)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { renewed(t, shown) })
		})
	}
}

func renewed(t *testing.T, shown func(*Renewed) (*tls.Certificate, error)) {
	dir := t.TempDir()
	cert, key := selfSigned(t, dir, 1)
	r, err := ReadRenewed(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	shows := func(serial int64) {
		t.Helper()
		pair, err := shown(r)
		if err != nil || pair.Leaf == nil || pair.Leaf.SerialNumber.Int64() != serial {
			t.Fatalf("shows %+v (%v), want %d", pair.Leaf, err, serial)
		}
	}
	selfSigned(t, dir, 2)
	shows(1)
	time.Sleep(renewEvery + 1)
	shows(2)
	if err := os.WriteFile(key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(renewEvery + 1)
	shows(2)
	selfSigned(t, dir, 3)
	time.Sleep(renewEvery + 1)
	shows(3)
}

func asked(with tls.SignatureScheme) *tls.CertificateRequestInfo {
	return &tls.CertificateRequestInfo{Version: tls.VersionTLS13, SignatureSchemes: []tls.SignatureScheme{with}}
}

// A server that cannot use a client's certificate is shown none, and may still
// let it in.
func TestCertificateIsNotWanted(t *testing.T) {
	r, err := ReadRenewed(selfSigned(t, t.TempDir(), 1))
	if err != nil {
		t.Fatal(err)
	}
	if pair, err := r.ForClient(asked(tls.Ed25519)); err != nil || pair == nil || len(pair.Certificate) != 0 {
		t.Errorf("shows %+v, %v", pair, err)
	}
}

// A date mends; nothing else about a certificate does.
func TestOutOfDate(t *testing.T) {
	for err, want := range map[error]bool{
		x509.CertificateInvalidError{Reason: x509.Expired}:             true,
		&net.OpError{Op: "remote error", Err: tls.AlertError(45)}:      true,
		x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}: false,
		&net.OpError{Op: "remote error", Err: tls.AlertError(42)}:      false,
	} {
		if OutOfDate(fmt.Errorf("ask a member: %w", err)) != want {
			t.Errorf("%v: want %v", err, want)
		}
	}
}
