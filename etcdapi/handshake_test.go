package etcdapi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestHangUp: a server that hangs up after the handshake wants another
// certificate, unless it is gone a moment later.
func TestHangUp(t *testing.T) {
	for name, dies := range map[string]bool{"wants another certificate": false, "died": true} {
		t.Run(name, func(t *testing.T) {
			var server *httptest.Server
			server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if dies {
					server.Listener.Close()
				}
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				conn.Close()
			}))
			defer server.Close()
			_, err := get(t.Context(), server.Client(), server.URL)
			if failed := (tlsError{}); err == nil || errors.As(err, &failed) == dies {
				t.Errorf("got %v", err)
			}
		})
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
		if outOfDate(tlsError{err}) != want {
			t.Errorf("%v: want %v", err, want)
		}
	}
}
