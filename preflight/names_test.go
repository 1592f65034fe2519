package preflight

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/sttts/elastic-etcd/joiner"
)

// names are host names and their addresses; an error is what asking leads to.
type book map[string]any

func (b book) LookupHost(ctx context.Context, host string) ([]string, error) {
	switch known := b[host].(type) {
	case string:
		return []string{known}, nil
	case error:
		return nil, known
	case nil:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	<-ctx.Done() // never answers
	return nil, ctx.Err()
}

func TestUnresolved(t *testing.T) {
	b := book{"n4.example": "10.0.0.4", "slow.example": true, "odd.example": errors.New("odd")}
	for _, c := range []struct {
		name string
		urls []string
		want []joiner.Fault
	}{
		{"addresses", []string{"http://10.0.0.4:2380", "http://[::1]:2380", "http://[fe80::1%25eth0]:2380"}, nil},
		{"a name", []string{"http://n4.example:2380"}, nil},
		{"no such name", []string{"http://n4.example:2380", "http://n5.example:2380"}, []joiner.Fault{{What: "n5.example", Wrong: "no such host"}}},
		{"one name twice", []string{"http://n5.example:1", "http://n5.example:2"}, []joiner.Fault{{What: "n5.example", Wrong: "no such host"}}},
		{"another error", []string{"http://odd.example:2380"}, []joiner.Fault{{What: "odd.example", Wrong: "odd"}}},
		{"no answer", []string{"http://slow.example:2380"}, []joiner.Fault{{What: "slow.example", Wrong: "no answer from the resolver within 2s"}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := Unresolved(t.Context(), b, c.urls); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		})
	}
}
