package discovery

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tlsServer serves one token by https and gives the PEM files of its
// certificate and key, which are good for a client, too.
func tlsServer(t *testing.T, auth tls.ClientAuthType) (url, cert, key string) {
	t.Helper()
	s := httptest.NewUnstartedServer(&keyStore{nodes: map[string]string{"/t/_config/size": value("3"), "/t": listing}})
	s.TLS = &tls.Config{ClientAuth: auth}
	s.Config.ErrorLog, s.EnableHTTP2 = log.New(io.Discard, "", 0), true // for gRPC
	s.StartTLS()
	t.Cleanup(s.Close)
	pair := s.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return s.URL + "/t", pemFile(t, "CERTIFICATE", pair.Certificate[0]), pemFile(t, "PRIVATE KEY", der)
}

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTLS(t *testing.T) {
	url, cert, key := tlsServer(t, tls.NoClientCert)
	strict, strictCert, _ := tlsServer(t, tls.RequireAnyClientCert)
	plain := serve(t, http.NotFoundHandler()) + "/t"
	for name, c := range map[string]struct {
		url  string
		conf Config
		want string // "" = it works
	}{
		"trusted":               {url, Config{CA: cert}, ""},
		"not trusted":           {url, Config{}, "TLS: failed to verify certificate"},
		"client certificate":    {strict, Config{CA: strictCert, Cert: cert, Key: key}, ""},
		"no client certificate": {strict, Config{CA: strictCert}, "TLS: remote error: tls: certificate required"},
		"https where http is":   {strings.Replace(plain, "http:", "https:", 1), Config{}, "TLS: first record does not look like a TLS handshake"},
		"http where https is":   {strings.Replace(url, "https:", "http:", 1), Config{}, "HTTP 400"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := NewV2(c.url, c.conf)
			if err != nil {
				t.Fatal(err)
			}
			d := v.Look(t.Context())
			if refuses := strings.HasPrefix(c.want, "TLS: "); d.Refuses != refuses {
				t.Errorf("refuses: %t, want %t", d.Refuses, refuses)
			}
			if !strings.Contains(d.Error, c.want) || (d.Error == "") != (c.want == "") || (d.Size == 3) != (c.want == "") {
				t.Errorf("got %+v, want error %q", d, c.want)
			}
		})
	}
}

func TestTLSFiles(t *testing.T) {
	_, cert, key := tlsServer(t, tls.NoClientCert)
	for name, c := range map[string]struct {
		conf Config
		want string
	}{
		"no CA file":   {Config{CA: "/no/such/file"}, "read CA file: open /no/such/file"},
		"a key as CA":  {Config{CA: key}, " has no PEM certificate"},
		"cert alone":   {Config{Cert: cert}, "load client certificate"},
		"key alone":    {Config{Key: key}, "load client certificate"},
		"swapped":      {Config{Cert: key, Key: cert}, "load client certificate"},
		"key not here": {Config{Cert: cert, Key: "/no/such/file"}, "open /no/such/file"},
	} {
		if _, err := NewV2("https://h/t", c.conf); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// A token in an etcd 3 is not for who does not trust it, or has no certificate.
func TestV3TLS(t *testing.T) {
	https, cert, _ := tlsServer(t, tls.NoClientCert)
	strict, strictCert, _ := tlsServer(t, tls.RequireAnyClientCert)
	for _, c := range []struct{ at, ca, says string }{
		{https, "", "TLS: failed to verify certificate: x509"},
		{strict, strictCert, "TLS: remote error: tls: certificate required"},
		{strings.Replace(https, "127.0.0.1", "localhost", 1), cert, "TLS: failed to verify certificate: x509: certificate is valid for"},
	} {
		v, err := NewV3(v3Config(func(conf *V3Config) {
			conf.Endpoints, conf.CA, conf.InsecureTransport = []string{strings.TrimSuffix(c.at, "/t")}, c.ca, false
		}))
		if err != nil {
			t.Fatal(err)
		}
		d := v.Look(t.Context())
		for end := time.Now().Add(10 * time.Second); !d.Refuses && time.Now().Before(end); d = v.Look(t.Context()) {
			time.Sleep(50 * time.Millisecond) // an alert may be lost when the server hangs up
		}
		if !strings.Contains(d.Error, c.says) || !d.Refuses {
			t.Errorf("got %+v, want %s", d, c.says)
		}
		v.Close()
	}
}

// TLS that fails for what is a matter of time is tried again.
func TestUntrusted(t *testing.T) {
	for text, want := range map[string]bool{
		"tls: failed to verify certificate: x509: certificate signed by unknown authority":                                 true,
		"tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time ... is before": false,
		"remote error: tls: expired certificate":                                                                           false, // ours: it is read again
		"remote error: tls: internal error":                                                                                false,
		"net/http: TLS handshake timeout":                                                                                  false,
		"dial tcp 127.0.0.1:1: connect: connection refused":                                                                false,
	} {
		if got := untrusted(errors.New(text)); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
}
