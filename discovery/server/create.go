package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sttts/elastic-etcd/discovery/registry"
)

// defaultSize is that of discovery.etcd.io.
const defaultSize = 3

// create makes a token and answers with its URL, without a newline: scripts
// put the answer into a variable as it is.
func (s *Server) create(w http.ResponseWriter, r *http.Request, f form) error {
	if !s.mayCreate(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "a bearer token is needed to make discovery tokens", http.StatusUnauthorized)
		return nil
	}
	if !s.newRate.allow(r.RemoteAddr, time.Now()) {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "this address has made many discovery tokens just now", http.StatusTooManyRequests)
		return nil
	}
	size, err := s.parseSize(f.Get("size"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil
	}
	base, err := s.baseURL(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil
	}
	token := registry.NewToken()
	if err := s.wrote(s.store.Create(r.Context(), token, size)); errors.Is(err, ErrNoRoom) {
		http.Error(w, ErrNoRoom.Error(), http.StatusInsufficientStorage)
		return nil
	} else if err != nil {
		return err
	}
	return writeText(w, base+"/"+token)
}

func (s *Server) mayCreate(r *http.Request) bool {
	if s.options.MayCreate == nil {
		return true
	}
	scheme, bearer, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return found && strings.EqualFold(scheme, "Bearer") && s.options.MayCreate(bearer)
}

func (s *Server) parseSize(value string) (int, error) {
	if value == "" {
		return min(defaultSize, s.options.MaxSize), nil
	}
	size, err := strconv.ParseUint(value, 10, 31)
	if err != nil || size < 1 || size > uint64(s.options.MaxSize) {
		return 0, fmt.Errorf("size %.40q: want a number of members from 1 to %d", value, s.options.MaxSize)
	}
	return int(size), nil
}

// baseURL is what the client reached us by, unless we were told better. What a
// proxy claims in X-Forwarded headers is not looked at: anybody can send them.
func (s *Server) baseURL(r *http.Request) (string, error) {
	if s.options.BaseURL != "" {
		return s.options.BaseURL, nil
	}
	if !isHost(r.Host) {
		return "", fmt.Errorf("host %.80q: not a host name or address with an optional port", r.Host)
	}
	if r.TLS != nil {
		return "https://" + r.Host, nil
	}
	return "http://" + r.Host, nil
}

// isHost checks the Host header, which is the client's to choose and comes
// back in the answer.
func isHost(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = hostport, "80"
		if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
			host = host[1 : len(host)-1]
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return false
	}
	if strings.HasPrefix(hostport, "[") {
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.Is6() && addr.Zone() == ""
	}
	return isHostName(host)
}

// isHostName accepts names and IPv4 addresses, and underscores, which
// container networks use.
func isHostName(host string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, letters) != "" {
			return false
		}
	}
	return true
}
