package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
)

// Script runs f as a test is run, in a program: what f cleans up is cleaned up
// when it ends, fails, or the context does (Ctrl-C).
func Script(ctx context.Context, out io.Writer, f func(T)) error {
	s := &script{out: out}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(s)
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.cleanUp()
	if err != nil {
		return err
	}
	return s.failure()
}

type script struct {
	out      io.Writer
	mu       sync.Mutex
	ended    bool
	cleanups []func()
	err      error
}

func (s *script) Helper() {}

func (s *script) Logf(format string, args ...any) {
	fmt.Fprintf(s.out, format+"\n", args...)
}

// Fatalf keeps the first failure: the ones after an interruption only follow
// from the cleaning up.
func (s *script) Fatalf(format string, args ...any) {
	s.mu.Lock()
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
	s.mu.Unlock()
	runtime.Goexit()
}

func (s *script) Failed() bool { return s.failure() != nil }

func (s *script) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Cleanup runs f at once where the script has already ended.
func (s *script) Cleanup(f func()) {
	s.mu.Lock()
	ended := s.ended
	if !ended {
		s.cleanups = append(s.cleanups, f)
	}
	s.mu.Unlock()
	if ended {
		f()
	}
}

func (s *script) cleanUp() {
	s.mu.Lock()
	s.ended = true
	cleanups := s.cleanups
	s.mu.Unlock()
	for _, f := range slices.Backward(cleanups) {
		f()
	}
}

func (s *script) TempDir() string {
	dir, err := os.MkdirTemp("", "elastic-etcd-")
	if err != nil {
		s.Fatalf("create temporary folder: %w", err)
	}
	s.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
