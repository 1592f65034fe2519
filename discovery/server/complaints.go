package server

import (
	"errors"
	"log"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// complaints takes what an http.Server has to say: that it cannot accept
// connections, and that a handler panicked, is the service's own fault. What any
// client can cause is left out, and nobody fills the log with the rest.
type complaints struct {
	report func(error)
	limit  *rate.Limiter
}

func newComplaints(report func(error)) *log.Logger {
	return log.New(complaints{report, rate.NewLimiter(rate.Every(10*time.Second), 5)}, "", 0)
}

// Write takes one line, of which a panic's has the stack.
func (c complaints) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	noise := strings.HasPrefix(text, "http: TLS handshake error") || strings.HasPrefix(text, "http: URL query contains semicolon")
	if !noise && c.limit.Allow() {
		c.report(errors.New(text))
	}
	return len(line), nil
}
