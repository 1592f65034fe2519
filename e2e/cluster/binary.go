package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/sttts/elastic-etcd/e2e/etcds"
)

// BinaryEnv names the elastic-etcd binary to test; without it one is built
// from this repository.
const BinaryEnv = "ELASTIC_ETCD_BINARY"

// BuildBinary builds elastic-etcd from this repository.
func BuildBinary(ctx context.Context, binary string) error {
	root, err := etcds.RepositoryRoot()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, ".")
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
