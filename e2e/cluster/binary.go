package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// BinaryEnv names the elastic-etcd binary to test; without it one is built
// from this repository.
const BinaryEnv = "ELASTIC_ETCD_BINARY"

// BuildBinary builds elastic-etcd from this repository.
func BuildBinary(ctx context.Context, binary string, flags ...string) error {
	root, err := etcds.RepositoryRoot()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary)
	cmd.Args = append(append(cmd.Args, flags...), ".")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "PWD="+root)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build elastic-etcd: %w\n%s", err, out)
	}
	return nil
}

// Binary is the path of the elastic-etcd binary.
func (l *Lab) Binary() string {
	l.t.Helper()
	if path := os.Getenv(BinaryEnv); path != "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			l.t.Fatalf("find elastic-etcd: %v", err)
		}
		return abs
	}
	path := filepath.Join(l.dir, "elastic-etcd")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := BuildBinary(context.Background(), path); err != nil {
		l.t.Fatalf("%v", err)
	}
	return path
}

// clockBinary is built once for all Labs, when it is wanted.
var clockBinary = sync.OnceValues(func() (string, error) {
	root, err := etcds.RepositoryRoot()
	if err != nil {
		return "", err
	}
	work, err := os.MkdirTemp("", "clock-") // TestMain takes it away
	if err != nil {
		return "", err
	}
	overlay, err := etcds.ClockOverlay(context.Background(), root, work, os.Stderr)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(work, "elastic-etcd")
	return binary, BuildBinary(context.Background(), binary, "-overlay", overlay)
})

// binaryWithClock is elastic-etcd from this repository, with a clock that
// etcds.ClockEnv shifts.
func (l *Lab) binaryWithClock() string {
	l.t.Helper()
	binary, err := clockBinary()
	if err != nil {
		l.t.Fatalf("build elastic-etcd with a clock: %v", err)
	}
	return binary
}
