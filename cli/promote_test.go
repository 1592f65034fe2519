package cli

import (
	"slices"
	"testing"
)

// Everybody may read the environment of the unit that promotes.
func TestOursHaveNoPassword(t *testing.T) {
	got := ours([]string{"ELASTIC_ETCD_USER=root:secret", "ELASTIC_ETCD_DISCOVERY_USER=u:secret", "ELASTIC_ETCD_PASSWORD=secret",
		"ELASTIC_ETCD_DISCOVERY_PASSWORD=secret", "ELASTIC_ETCD_PASSWORD_FILE=/f", "ELASTIC_ETCD_USER=root", "PATH=/bin"})
	if want := []string{"ELASTIC_ETCD_PASSWORD_FILE=/f", "ELASTIC_ETCD_USER=root"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
