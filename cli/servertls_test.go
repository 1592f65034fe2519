package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// selfSigned writes a certificate with this serial number, and its key.
func selfSigned(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A certificate is renewed while it is served; half of a renewal is none.
func TestCertificateIsRenewed(t *testing.T) {
	dir := t.TempDir()
	selfSigned(t, dir, 1)
	p := &keyPair{cert: filepath.Join(dir, "cert"), key: filepath.Join(dir, "key")}
	if err := p.read(); err != nil {
		t.Fatal(err)
	}
	served := func(serial int64) {
		t.Helper()
		pair, err := p.current(nil)
		if err != nil || pair.Leaf.SerialNumber.Int64() != serial {
			t.Fatalf("serves %v (%v), want %d", pair.Leaf.SerialNumber, err, serial)
		}
	}
	selfSigned(t, dir, 2)
	served(1)
	p.looked = time.Now().Add(-2 * renewEvery)
	served(2)
	if err := os.WriteFile(p.key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.looked = time.Now().Add(-2 * renewEvery)
	served(2)
}
