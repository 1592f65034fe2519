package etcdapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// until gives a certificate that nobody signed, and that ends then.
func until(t *testing.T, end time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestDated: that a certificate is out of date mends; that nobody known has
// signed it does not.
func TestDated(t *testing.T) {
	for end, want := range map[time.Duration]bool{-time.Hour: true, time.Hour: false} {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{until(t, time.Now().Add(end))}}
		server.StartTLS()
		defer server.Close()
		s := newTestAPI(t, patient, server.URL).Look(t.Context(), Where{})
		if len(s.Failures) != 1 || s.Failures[0].Bar == "" || s.Failures[0].Dated != want {
			t.Errorf("ends in %s: %+v", end, s.Failures)
		}
	}
}

// TestLoadIsRenewed: who waits for months shows the certificate of today
// (smallfile.Renewed), not the one of the first day.
func TestLoadIsRenewed(t *testing.T) {
	pair := until(t, time.Now().Add(time.Hour))
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "both.pem")
	both := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := os.WriteFile(file, both, 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := TLSFiles{Cert: file, Key: file}.Load()
	if err != nil || config.GetClientCertificate == nil || len(config.Certificates) != 0 {
		t.Errorf("%+v, %v", config, err)
	}
}
