package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	drainTime   = 5 * time.Second
	headerBytes = 16 << 10
)

// times bound a connection. A long poll extends its write time, see sendHeader.
type times struct{ header, read, write, idle time.Duration }

func usualTimes() times {
	return times{header: 5 * time.Second, read: 10 * time.Second, write: 20 * time.Second, idle: 30 * time.Second}
}

// Serve serves s on the listener until the context ends, then closes the
// listener, ends the long polls and gives the other requests five seconds to
// finish; what takes longer is cut off. It returns nil after such an end, and an
// error when the listener failed. The listener and s are closed in any case.
func Serve(ctx context.Context, l net.Listener, s *Server) error {
	return serve(ctx, l, s, usualTimes())
}

func serve(ctx context.Context, l net.Listener, s *Server, most times) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: most.header,
		ReadTimeout:       most.read,
		WriteTimeout:      most.write,
		IdleTimeout:       most.idle,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          newComplaints(s.options.Report),
	}
	if s.options.Rate > 0 {
		server.ConnState = (&connections{most: s.options.MaxWaitersPerAddress}).changed
	}
	// Only when the listener is closed: a client that is let go polls again at
	// once and shall find nobody, so that it backs off.
	server.RegisterOnShutdown(s.Close)
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { drained <- shutdown(server) })

	err := server.Serve(l)
	if stop() {
		s.Close()
		server.Close()
		return fmt.Errorf("serve discovery on %s: %w", l.Addr(), err)
	}
	if err := <-drained; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop discovery on %s: %w", l.Addr(), err)
	}
	return nil
}

// shutdown drains the server, and cuts off what does not finish in time.
func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		server.Close()
	}
	return err
}
