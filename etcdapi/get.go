package etcdapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	maxBody       = 1 << 20 // bytes
	maxHeader     = 64 << 10
	idleTimeout   = 30 * time.Second
	clusterHeader = "X-Etcd-Cluster-Id"
)

// newHTTPClient asks members: straight, not through a proxy, and only those.
// HTTP/2 is for client ports only: a peer port takes it for gRPC, and a client
// port that speaks gRPC only accepts nothing else over TLS.
func newHTTPClient(config *tls.Config, p port) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialPolite,
			TLSClientConfig:        config.Clone(), // it writes to it
			ForceAttemptHTTP2:      p == clientPort,
			DisableCompression:     true,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    2,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// reply is a complete HTTP answer with status 200.
type reply struct {
	header http.Header
	body   []byte
}

// statusError is a complete HTTP answer with another status.
type statusError struct {
	status string
	code   int
}

func (e statusError) Error() string { return e.status }

// hangUpPause is the time in which a server that died is gone.
const hangUpPause = 200 * time.Millisecond

// get asks for url. Errors name it.
func get(ctx context.Context, c *http.Client, url string) (reply, error) {
	r, err := roundTrip(ctx, c, url)
	if h := (hangUp{}); errors.As(err, &h) && pause(ctx, hangUpPause) {
		r, err = roundTrip(ctx, c, url) // who only died is refused now, and one that wants a certificate says the same
	}
	if err != nil {
		return reply{}, fmt.Errorf("GET %s: %w", url, err)
	}
	return r, nil
}

func roundTrip(ctx context.Context, c *http.Client, url string) (reply, error) {
	var h handshake
	req, err := http.NewRequestWithContext(h.watch(ctx), http.MethodGet, url, nil)
	if err != nil {
		return reply{}, err
	}
	res, err := c.Do(req)
	if err != nil {
		return reply{}, h.explain(ctx, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil:
		return reply{}, h.explain(ctx, err)
	case len(body) > maxBody:
		return reply{}, fmt.Errorf("the body is longer than %d bytes", maxBody)
	case res.StatusCode != http.StatusOK:
		return reply{}, statusFailure(res, body)
	}
	return reply{res.Header, body}, nil
}

// statusFailure knows the answer of a Go server that speaks TLS on this port.
func statusFailure(res *http.Response, body []byte) error {
	err := statusError{res.Status, res.StatusCode}
	if res.TLS == nil && res.StatusCode == http.StatusBadRequest && string(body) == "Client sent an HTTP request to an HTTPS server.\n" {
		return tlsError{errors.New("the port speaks https, the URL says http")}
	}
	return err
}
