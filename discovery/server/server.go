// Package server is a discovery service: the v2 protocol of discovery.etcd.io
// as far as the discovery clients of etcd 2.3 to 3.6 and elastic-etcd use it.
//
// A token is made by /new?size=N. Members register under it with a create-only
// PUT, and the first N of them, in the order of their createdIndex, found the
// cluster. Some things are stricter here than in a plain etcd v2 keyspace,
// because two founders that see different lists found different clusters:
//
//   - A registration never changes. A PUT on a member that is there fails with
//     412 and errorCode 105, whatever its prevExist says; only a PUT without
//     prevExist of the very same value is answered 200, so that a retry after
//     a lost answer is harmless. Conditions (prevValue, prevIndex,
//     prevExist=true), ttl and dir are refused with 400 and errorCode 209.
//   - A founder that has another founder's name or one of its peer URLs is
//     refused with 412 and errorCode 105: it takes no place.
//   - The first N places are never freed: DELETE of one fails with 403 and
//     errorCode 107. Entries behind them can go. Watchers are told of
//     registrations only: etcd's client takes every event for a new member.
package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// Options of a Server. The zero value is usable.
type Options struct {
	// BaseURL is what /new puts before the token: an absolute http or https
	// URL. Empty means the scheme and the Host of each request.
	BaseURL string

	// PollTimeout bounds a long poll; it then ends with an empty 200, on which
	// etcd's clients ask again. Default 5 minutes.
	PollTimeout time.Duration

	// MaxSize bounds the cluster size a token can be made for. Default: what
	// hosts take.
	MaxSize int

	// MaxEntries bounds the registrations under one token, those of hosts that
	// came too late included. Default 1000, never less than MaxSize.
	MaxEntries int

	// MaxValue bounds a registration's value, in bytes. Default 2048.
	MaxValue int

	// MayCreate tells whether whoever sent this bearer token may make
	// discovery tokens. Default: everybody may.
	MayCreate func(bearer string) bool

	// MaxWaiters bounds the long polls at one time, all tokens together,
	// MaxWaitersPerToken those of one, and MaxWaitersPerAddress those of one
	// remote address (IPv4, or IPv6 /64). More are answered with 503, on which
	// etcd's clients back off. Default 20000, 1000, and 5000; without a Rate,
	// as behind a load balancer, an address has no bound of its own.
	MaxWaiters, MaxWaitersPerToken, MaxWaitersPerAddress int

	// Rate bounds the requests a second of one remote address, NewRate the
	// tokens it may make; ten seconds' worth may come at once. More are
	// answered with 503, on which etcd's clients back off, and 429 for a
	// token. Default: no limit.
	Rate, NewRate float64

	// Served is told of every request that was answered. Default: nobody is.
	Served func(Served)

	// Report is told of every error that is the service's own fault: those that
	// were answered with a 500, and what Serve has to say; and once a minute of
	// a store that is full. Default: nobody is told.
	Report func(error)
}

func (o Options) withDefaults() Options {
	setDefault(&o.PollTimeout, 5*time.Minute)
	setDefault(&o.MaxSize, joiner.MaxDiscoverySize)
	setDefault(&o.MaxEntries, 1000)
	setDefault(&o.MaxValue, 2048)
	setDefault(&o.MaxWaiters, 20000)
	setDefault(&o.MaxWaitersPerToken, 1000)
	if o.Rate <= 0 {
		setDefault(&o.MaxWaitersPerAddress, o.MaxWaiters)
	}
	setDefault(&o.MaxWaitersPerAddress, 5000)
	o.MaxEntries = max(o.MaxEntries, o.MaxSize)
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.Served == nil {
		o.Served = func(Served) {}
	}
	return o
}

func setDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Server is the discovery service as an http.Handler.
type Server struct {
	store   Store
	options Options
	waiters waiters
	tails   tails
	rates   *rates // of all requests
	newRate *rates // of tokens made
	answers *answers
	health  health
	metrics metrics
	closing context.Context // done when long polls shall end
	close   context.CancelFunc
}

// New returns the service on top of a store, which stays the caller's to
// close. It fails on a BaseURL that is not one.
func New(store Store, options Options) (*Server, error) {
	public, err := cleanBaseURL(options.BaseURL)
	if err != nil {
		return nil, err
	}
	options = options.withDefaults()
	options.BaseURL = public
	s := &Server{store: store, tails: tails{store: store}, options: options, rates: newRates(options.Rate), newRate: newRates(options.NewRate), answers: newAnswers(options.Rate)}
	s.metrics = newMetrics(s.waiters.count)
	s.closing, s.close = context.WithCancel(context.Background())
	return s, nil
}

// Check tells whether New will take the options.
func (o Options) Check() error {
	_, err := cleanBaseURL(o.BaseURL)
	return err
}

func cleanBaseURL(public string) (string, error) {
	if public == "" {
		return "", nil
	}
	u, err := url.Parse(public)
	if err != nil {
		return "", fmt.Errorf("base URL of the discovery service: %w", err)
	}
	plain := u.User == nil && u.RawQuery == "" && u.Fragment == "" && !u.ForceQuery
	if u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Host) || !plain {
		return "", fmt.Errorf("base URL of the discovery service %q: want http(s)://host[:port][/path]", u.Redacted())
	}
	return strings.TrimRight(public, "/"), nil
}

// Close ends the long polls under way with an empty answer and refuses new
// ones with 503, on which etcd's clients back off and try again. Everything
// else is served on, so that a server can drain.
func (s *Server) Close() { s.close() }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	t, _ := parsePath(r.URL.EscapedPath())
	out := &recorder{ResponseWriter: w}
	s.answer(out, r, t)
	done := Served{What: t.kind.String(), Method: knownMethod(r.Method), Code: out.status(), Token: t.secretless(), Remote: r.RemoteAddr,
		Took: time.Since(start), Polled: out.polled}
	s.metrics.count(done)
	s.options.Served(done)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, t target) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if t.kind == 0 {
		s.writeError(w, keyNotFound(r.URL.EscapedPath(), 0))
		return
	}
	if allowed := t.kind.methods(); !slices.Contains(allowed, r.Method) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if t.limited() && !s.rates.allow(r.RemoteAddr, time.Now()) {
		w.Header().Set("Retry-After", "1")
		s.writeError(w, unavailable("too many requests from this address"))
		return
	}
	if err := s.dispatch(w, r, t); err != nil {
		s.writeError(w, err)
	}
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, t target) error {
	switch t.kind {
	case kindHealth:
		return s.checkHealth(w, r)
	case kindMetrics:
		s.metrics.handler.ServeHTTP(w, r)
		return nil
	}
	form, err := s.parseForm(w, r)
	if err != nil {
		return err
	}
	switch {
	case t.kind == kindNew:
		return s.create(w, r, form)
	case r.Method == http.MethodPut:
		return s.register(w, r, t, form)
	case r.Method == http.MethodDelete:
		return s.remove(w, r, t, form)
	default:
		return s.read(w, r, t, form)
	}
}

// parseForm reads the query and the body. A value may triple when it is
// escaped; the rest is for the other fields.
func (s *Server) parseForm(w http.ResponseWriter, r *http.Request) (form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, int64(3*s.options.MaxValue+1024))
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return form{}, &protocolError{status: http.StatusRequestEntityTooLarge, code: codeInvalidForm,
			cause: fmt.Sprintf("the body is longer than %d bytes", tooLarge.Limit)}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.Header().Set("Connection", "close")
		return form{}, unavailable("the body came too slowly") // a 4xx would end the client
	}
	if err != nil {
		return form{}, &protocolError{status: http.StatusBadRequest, code: codeInvalidForm, cause: err.Error()}
	}
	return form{r.Form}, nil
}
