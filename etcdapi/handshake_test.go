package etcdapi

import (
	"errors"
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
