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
	return build(ctx, servers(versions, serverFile), progress)
}

// BuildWithClock makes those of the given versions with a clock that ClockEnv
// shifts.
func BuildWithClock(ctx context.Context, versions []string, progress io.Writer) error {
	return build(ctx, servers(versions, clockServerFile), progress)
}

// server is a binary to build.
type server struct{ version, file string }

func servers(versions []string, file string) []server {
	var list []server
	for _, version := range versions {
		list = append(list, server{version, file})
	}
	return list
}

func build(ctx context.Context, all []server, progress io.Writer) error {
	missing, err := missing(all)
	if err != nil {
		return err
	}
	for i, s := range missing {
		fmt.Fprintf(progress, "building etcd %s (%d of %d) ...\n", s.version, i+1, len(missing))
		start := time.Now()
		if err := buildOne(ctx, s, progress); err != nil {
			return fmt.Errorf("build etcd %s: %w", s.version, err)
		}
		fmt.Fprintf(progress, "built etcd %s in %.0f s\n", s.version, time.Since(start).Seconds())
	}
	return nil
}

func missing(all []server) ([]server, error) {
	var missing []server
	for _, s := range all {
		full, err := Full(s.version)
		if err != nil {
			return nil, err
		}
		_, err = find(full, s.file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil {
			missing = append(missing, server{full, s.file})
		}
	}
	return missing, nil
}

// buildOne works in a folder of its own inside the cache and renames the
// binary into place, so that others see either nothing or a whole binary.
func buildOne(ctx context.Context, s server, progress io.Writer) error {
	cache, err := CacheDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(cache, s.version), 0o755); err != nil {
		return fmt.Errorf("create cache: %w", err)
	}
	work, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return fmt.Errorf("create build folder: %w", err)
	}
	defer os.RemoveAll(work)
	binary := filepath.Join(work, s.file)
	if err := s.compile(ctx, work, binary, progress); err != nil {
		return err
	}
	if err := check(ctx, s.version, binary); err != nil {
		return err
	}
	return os.Rename(binary, filepath.Join(cache, s.version, s.file))
}

func (s server) compile(ctx context.Context, work, binary string, progress io.Writer) error {
	module, err := moduleDir(s.version)
	if err != nil {
		return err
	}
	var more []string
	if s.file == clockServerFile {
		overlay, err := ClockOverlay(ctx, module, work, progress)
		if err != nil {
			return err
		}
		more = []string{"-overlay", overlay}
	}
	if Minor(s.version) == "2.3" {
		return compile23(ctx, module, work, binary, progress, more...)
	}
	// GOFLAGS is emptied: what the user has set for his own builds may not fit
	// here.
	cmd := goCommand(ctx, module, progress, "GO111MODULE=on", "GOFLAGS=", "GOTMPDIR="+work)
	cmd.Args = append(cmd.Args, "build", "-mod=readonly", "-buildvcs=false",
		"-trimpath", "-ldflags", "-s -w", "-o", binary)
	cmd.Args = append(append(cmd.Args, more...), ".")
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
