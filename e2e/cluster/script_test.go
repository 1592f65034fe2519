package cluster

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestScriptEnds(t *testing.T) {
	var order []string
	var dir string
	err := Script(t.Context(), io.Discard, func(s T) {
		dir = s.TempDir()
		s.Cleanup(func() { order = append(order, "first") })
		s.Cleanup(func() { order = append(order, "second") })
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "second first" {
		t.Errorf("cleaned up %s", got)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("temporary folder: %v", err)
	}
}

func TestScriptFails(t *testing.T) {
	cleaned, went := false, false
	err := Script(t.Context(), io.Discard, func(s T) {
		s.Cleanup(func() { cleaned = s.Failed() })
		s.Fatalf("no %s", "luck")
		went = true
	})
	if err == nil || err.Error() != "no luck" {
		t.Errorf("got %v", err)
	}
	if !cleaned || went {
		t.Errorf("cleaned up %v, went on %v", cleaned, went)
	}
}

func TestScriptInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cleaned := make(chan bool, 2)
	err := Script(ctx, io.Discard, func(s T) {
		s.Cleanup(func() { cleaned <- true })
		cancel()
		<-cleaned // what the interruption cleans up
		s.Cleanup(func() { cleaned <- true })
		select {}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-cleaned // what was started after it
}
