package cluster

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// TestMain is the TestMain of a package with end-to-end tests. It builds the
// elastic-etcd binary once, keeps all temporary files in one folder and takes
// that away at the end, on Ctrl-C too. It returns the exit code.
func TestMain(m interface{ Run() int }) int {
	dir, err := os.MkdirTemp("", "elastic-etcd-e2e-")
	if err != nil {
		return failed(fmt.Errorf("create temporary folder: %w", err))
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return failed(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := provideBinary(ctx, dir); err != nil {
		return failed(err)
	}
	code := make(chan int, 1)
	go func() { code <- m.Run() }()
	select {
	case c := <-code:
		return c
	case <-ctx.Done():
		// The children die with this process: see launcher.
		return failed(context.Cause(ctx))
	}
}

// provideBinary makes every Lab of this process find the same binary.
func provideBinary(ctx context.Context, dir string) error {
	if os.Getenv(BinaryEnv) != "" {
		return nil
	}
	binary := filepath.Join(dir, "elastic-etcd")
	if err := BuildBinary(ctx, binary); err != nil {
		return err
	}
	return os.Setenv(BinaryEnv, binary)
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}
