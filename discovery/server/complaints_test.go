package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// exhausted is a listener that has no file descriptor for its first connection.
type exhausted struct {
	net.Listener
	failed bool
}

func (e *exhausted) Accept() (net.Conn, error) {
	if !e.failed {
		e.failed = true
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return e.Listener.Accept()
}

// panicking is a store with a bug.
type panicking struct{ Store }

func (panicking) Load(context.Context, string) (Directory, error) { panic("a bug") }

// What goes wrong outside of a request that is answered is told, too.
func TestServeComplains(t *testing.T) {
	told := make(chan error, 10)
	s, err := New(panicking{}, Options{Report: func(err error) { told <- err }})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, &exhausted{Listener: l}, s) }()
	if resp, err := http.Get("http://" + l.Addr().String() + "/" + strings.Repeat("0", 32)); err == nil {
		t.Errorf("answered %s", resp.Status)
		resp.Body.Close()
	}
	for _, want := range []string{"Accept error: accept: too many open files", "a bug"} {
		if err := <-told; !strings.Contains(err.Error(), want) {
			t.Errorf("told %v, want %s", err, want)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Nobody fills the log.
func TestComplaintsAreFew(t *testing.T) {
	var told []error
	log := newComplaints(func(err error) { told = append(told, err) })
	for range 100 {
		log.Print("http: TLS handshake error from 10.0.0.1:1: EOF")
		log.Print("http: URL query contains semicolon, which is no longer a supported separator")
	}
	if err := errors.Join(told...); err != nil {
		t.Errorf("told %v", err)
	}
	for range 100 {
		log.Print("http: panic serving 10.0.0.1:1: a bug\nmore")
	}
	if len(told) == 0 || len(told) > 10 || told[0].Error() != "http: panic serving 10.0.0.1:1: a bug\nmore" {
		t.Errorf("told %d: %v", len(told), errors.Join(told...))
	}
}
