package smallfile

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestAddCAs(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if err := AddCAs(pool, ca); err != nil {
		t.Error(err)
	}
	if _, err := s.Certificate().Verify(x509.VerifyOptions{Roots: pool}); err != nil {
		t.Errorf("it is not believed: %v", err)
	}
	if err := AddCAs(pool, os.DevNull); !errors.Is(err, ErrNoCertificate) || err.Error() != os.DevNull+" has no PEM certificate" {
		t.Errorf("an empty file: %v", err)
	}
	if err := AddCAs(pool, ca+"x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
