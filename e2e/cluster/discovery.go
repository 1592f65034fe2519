package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
)

const discoveryPort = "8087"

// Discovery is elastic-etcd's own discovery service on an address of its own.
type Discovery struct {
	*Process
	URL string // without a slash at the end

	lab    *Lab
	listen string
	file   string
	log    string
}

// StartDiscovery starts the service and waits until it serves.
func (l *Lab) StartDiscovery() *Discovery {
	l.t.Helper()
	listen := net.JoinHostPort(l.Addr(), discoveryPort)
	log := l.nextRun("discovery")
	d := &Discovery{URL: "http://" + listen, lab: l, listen: listen, log: log,
		file: strings.TrimSuffix(log, filepath.Ext(log)) + ".db"}
	d.Start()
	return d
}

// Start starts a stopped service again, with the data it has.
func (d *Discovery) Start() {
	d.lab.t.Helper()
	cmd := exec.Command(d.lab.Binary(), "discovery", "serve", "--listen", d.listen, "--data", d.file)
	cmd.Dir = d.lab.dir
	cmd.Env = environment(nil)
	var err error
	d.Process, err = d.lab.startProcess("discovery service", d.log, cmd)
	if err != nil {
		d.lab.t.Fatalf("%v", err)
	}
	d.lab.WaitFor("discovery service to serve", func(ctx context.Context) error {
		if !d.Running() {
			return giveUp(fmt.Errorf("it has ended: %s", d.logTail(1)))
		}
		_, err := d.get(ctx, "/health")
		return err
	})
}

// NewToken makes a token for a cluster of that size and returns the discovery
// URL.
func (d *Discovery) NewToken(size int) string {
	d.lab.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	url, err := d.get(ctx, fmt.Sprintf("/new?size=%d", size))
	if err != nil {
		d.lab.t.Fatalf("make a discovery token: %v", err)
	}
	return strings.TrimSpace(url)
}

func (d *Discovery) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+path, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return "", fmt.Errorf("get %s: %w", path, err)
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("get %s: %s: %s", path, res.Status, body)
	}
	return string(body), nil
}

// Dump is all that the service has of a token, as it prints it.
func (d *Discovery) Dump(token string) string {
	d.lab.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	body, err := d.get(ctx, strings.TrimPrefix(token, d.URL))
	if err != nil {
		d.lab.t.Fatalf("read %s: %v", token, err)
	}
	return body
}
