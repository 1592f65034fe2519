package etcds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Build makes the given versions' binaries, those that are missing, and tells
// its progress. It needs nothing but Go and the Go module proxy.
func Build(ctx context.Context, versions []string, progress io.Writer) error {
	missing, err := missing(versions)
	if err != nil {
		return err
	}
	for i, version := range missing {
		fmt.Fprintf(progress, "building etcd %s (%d of %d) ...\n", version, i+1, len(missing))
		start := time.Now()
		if err := buildOne(ctx, version, progress); err != nil {
			return fmt.Errorf("build etcd %s: %w", version, err)
		}
		fmt.Fprintf(progress, "built etcd %s in %.0f s\n", version, time.Since(start).Seconds())
	}
	return nil
}

func missing(versions []string) ([]string, error) {
	var missing []string
	for _, version := range versions {
		full, err := Full(version)
		if err != nil {
			return nil, err
		}
		_, err = Binary(full)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil {
			missing = append(missing, full)
		}
	}
	return missing, nil
}

// buildOne works in a folder of its own inside the cache and renames the
// binary into place, so that others see either nothing or a whole binary.
func buildOne(ctx context.Context, version string, progress io.Writer) error {
	cache, err := CacheDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(cache, version), 0o755); err != nil {
		return fmt.Errorf("create cache: %w", err)
	}
	work, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return fmt.Errorf("create build folder: %w", err)
	}
	defer os.RemoveAll(work)
	binary := filepath.Join(work, "etcd")
	if err := compile(ctx, version, work, binary, progress); err != nil {
		return err
	}
	if err := check(ctx, version, binary); err != nil {
		return err
	}
	return os.Rename(binary, filepath.Join(cache, version, "etcd"))
}

func compile(ctx context.Context, version, work, binary string, progress io.Writer) error {
	module, err := moduleDir(version)
	if err != nil {
		return err
	}
	if Minor(version) == "2.3" {
		return compile23(ctx, module, work, binary, progress)
	}
	// GOFLAGS is emptied: what the user has set for his own builds may not fit
	// here.
	cmd := goCommand(ctx, module, progress, "GO111MODULE=on", "GOFLAGS=", "GOTMPDIR="+work)
	cmd.Args = append(cmd.Args, "build", "-mod=readonly", "-buildvcs=false",
		"-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	return run(cmd)
}

func moduleDir(version string) (string, error) {
	root, err := RepositoryRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "e2e", "etcds", Minor(version)), nil
}

func goCommand(ctx context.Context, dir string, progress io.Writer, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go")
	cmd.Dir = dir
	cmd.Stderr = progress
	// Interrupted, go ends its compilers first.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "PWD="+dir)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

func run(cmd *exec.Cmd) error {
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s in %s: %w", strings.Join(cmd.Args, " "), cmd.Dir, err)
	}
	return nil
}

// check starts the binary once: a server that builds need not run (2.3 has
// panicked at its start), and it must be the version it is filed under.
func check(ctx context.Context, version, binary string) error {
	out, err := exec.CommandContext(ctx, binary, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("run etcd --version: %w: %s", err, bytes.TrimSpace(out))
	}
	// 3.4 says something about protobuf first.
	if !bytes.Contains(out, []byte("etcd Version: "+version+"\n")) {
		return fmt.Errorf("check etcd --version: got %q", out)
	}
	return nil
}
