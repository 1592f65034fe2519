package discovery

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	client "go.etcd.io/etcd/client/v2"

	"github.com/sttts/elastic-etcd/smallfile"
)

const (
	// requestTimeout bounds one request with its whole answer.
	requestTimeout = 5 * time.Second
	maxBody        = 16 << 20 // maxEntries of usual length, or a thousand of the longest
	maxHeader      = 64 << 10
	maxRedirects   = 3
)

// Config names the PEM files for a discovery service behind https. CA is
// trusted besides the system's own; Cert and Key come together. All are
// optional.
type Config struct{ CA, Cert, Key string }

// transport hands etcd's client library only what it can digest: complete,
// bounded answers that look like etcd's. It honours HTTP_PROXY, HTTPS_PROXY
// and NO_PROXY.
type transport struct{ base http.RoundTripper }

func newTransport(c Config) (*transport, error) {
	t, err := c.tls()
	if err != nil {
		return nil, err
	}
	return &transport{&http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        t,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        requestTimeout,
		MaxResponseHeaderBytes: maxHeader,
	}}, nil
}

func (c Config) tls() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		var err error
		if t.RootCAs, err = x509.SystemCertPool(); err != nil {
			t.RootCAs = x509.NewCertPool()
		}
		if err := smallfile.AddCAs(t.RootCAs, c.CA); err != nil {
			return nil, fmt.Errorf("read CA file: %w", err)
		}
	}
	if c.Cert == "" && c.Key == "" {
		return t, nil
	}
	pair, err := smallfile.ReadRenewed(c.Cert, c.Key)
	if err != nil {
		return nil, fmt.Errorf("load client certificate %q with key %q: %w", c.Cert, c.Key, err)
	}
	t.GetClientCertificate = pair.ForClient
	return t, nil
}

// CancelRequest is never called: the library cancels by req.Cancel.
func (t *transport) CancelRequest(*http.Request) {}

// RoundTrip reads the whole answer before it gives it on, so that one timeout
// covers all of it.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), requestTimeout)
	defer cancel()
	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if err := vet(req, resp, body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// vet refuses what etcd's client library would misread: it calls every HTTP
// 500 a lost leader and takes any JSON for an etcd error.
func vet(req *http.Request, resp *http.Response, body []byte) error {
	switch code := resp.StatusCode; {
	case len(body) > maxBody:
		return fmt.Errorf("the answer has more than %d bytes", maxBody)
	case code/100 == 3:
		return sameHost(req.URL, resp)
	case code == http.StatusOK || code == http.StatusCreated:
		return vetJSON(body)
	}
	var e client.Error
	if resp.StatusCode >= 500 || json.Unmarshal(body, &e) != nil || e.Code == 0 {
		return fmt.Errorf("the answer is HTTP %d: %s", resp.StatusCode, quote(string(bytes.TrimSpace(body))))
	}
	return nil
}

func vetJSON(body []byte) error {
	switch text := bytes.TrimSpace(body); {
	case len(text) == 0:
		return errors.New("the answer is empty")
	case !json.Valid(text):
		return fmt.Errorf("the answer is not JSON as etcd writes it: %s", quote(string(text)))
	}
	return nil
}

// sameHost lets a redirect pass that stays on the host and does not give up
// TLS, and makes it absolute, as the library needs it.
func sameHost(from *url.URL, resp *http.Response) error {
	to, err := resp.Location()
	if err != nil {
		return fmt.Errorf("the answer is HTTP %d without a valid location", resp.StatusCode)
	}
	if to.Hostname() != from.Hostname() || to.User != nil || to.Scheme != "https" && to.Scheme != from.Scheme {
		return fmt.Errorf("the answer is a redirect to %s: only the host itself is followed", quote(to.Scheme+"://"+to.Host))
	}
	resp.Header.Set("Location", to.String())
	return nil
}

func checkRedirect(via int) error {
	if via > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	return nil
}
