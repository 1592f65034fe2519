package etcdapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"syscall"
)

// tlsError is a TLS failure with a server that answers: it is neither silence
// nor an answer of the cluster.
type tlsError struct{ err error }

func (e tlsError) Error() string { return "TLS failure: " + e.err.Error() }
func (e tlsError) Unwrap() error { return e.err }

// hangUp is a server that ended the connection when the client was done with
// the handshake. It may also just have died.
type hangUp struct{ err error }

func (h hangUp) Error() string {
	return "the server hung up right after the handshake, as if it wants another client certificate: " + h.err.Error()
}
func (h hangUp) Unwrap() error { return h.err }

// handshake watches how the TLS of one request goes.
type handshake struct {
	mu       sync.Mutex // of what follows
	done     bool
	err      error
	answered bool
}

func (h *handshake) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.done, h.err = true, err
		},
		GotFirstResponseByte: func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.answered = true
		},
	})
}

// explain tells a TLS failure from silence, and says what took too long.
func (h *handshake) explain(ctx context.Context, err error) error {
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err // its URL is said already
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isAlert(err), h.done && isRefusal(h.err):
		return tlsError{err}
	case h.done && h.err == nil && !h.answered:
		// With TLS 1.3 a client is done before the server has looked at its
		// certificate, and the alert is often lost.
		return tlsError{hangUp{err}}
	case strings.Contains(err.Error(), "malformed HTTP"): // net/http has no type for it
		return errors.New("the port speaks no HTTP")
	}
	return err
}

// isAlert recognises an alert that comes after the handshake.
func isAlert(err error) bool {
	op := (*net.OpError)(nil)
	return errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}

// isRefusal tells whether a handshake failed over what the server said, not
// because it said nothing.
func isRefusal(err error) bool {
	timeout := net.Error(nil)
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return false
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return false
	case errors.As(err, &timeout) && timeout.Timeout():
		return false
	}
	return true
}
