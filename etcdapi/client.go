package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
)

// askClient asks a client port for a member list that a quorum vouches for,
// and for whatever the member says by itself where there is none.
func (a *API) askClient(ctx context.Context, c contact) answer {
	ans := answer{contact: c, api: "v3"}
	v, err := a.versionOf(ctx, c)
	ans.versions = v
	switch {
	case err == nil && v.server.Major == 2:
		ans.api = "v2"
		ans.err = a.askV2(ctx, &ans)
	case err == nil:
		ans.err = a.askV3(ctx, &ans)
	case maybeOnlyGRPC(ctx, err):
		if grpcErr := a.askV3(ctx, &ans); grpcErr != nil {
			ans.err = fmt.Errorf("%w; and by gRPC: %w", err, grpcErr)
		}
	default:
		ans.err = err
	}
	return ans
}

func (a *API) versionOf(ctx context.Context, c contact) (versions, error) {
	where := c.url + "/version"
	r, err := get(ctx, a.client, where)
	if err != nil {
		return versions{}, err
	}
	v, err := parseVersions(r.body)
	if err != nil {
		return versions{}, fmt.Errorf("GET %s: %w", where, err)
	}
	return v, nil
}

// maybeOnlyGRPC tells whether a failed GET may come from a port that speaks
// gRPC only (etcd's --listen-client-http-urls).
func maybeOnlyGRPC(ctx context.Context, err error) bool {
	if errors.As(err, new(tlsError)) || errors.Is(err, syscall.ECONNREFUSED) || ctx.Err() != nil {
		return false
	}
	var status statusError
	if errors.As(err, &status) {
		return status.code == http.StatusMethodNotAllowed || status.code == http.StatusUnsupportedMediaType
	}
	return true
}
