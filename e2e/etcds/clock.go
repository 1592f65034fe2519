package etcds

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ClockEnv shifts the wall clock of a program that was built with a
// ClockOverlay, by a duration as Go spells it: -1h. Static Go programs ask the
// kernel without a C library that could be preloaded, and a time namespace has
// no wall clock of its own.
const ClockEnv = "ELASTIC_ETCD_TEST_CLOCK"

const (
	nowOfTime = "\tsec, nsec, mono := runtimeNow()\n"
	clockFile = `package time

import "syscall"

var clockShift = func() int64 {
	s, _ := syscall.Getenv("` + ClockEnv + `")
	d, err := ParseDuration(s)
	if s != "" && err != nil {
		panic(err)
	}
	return int64(d / Second)
}()
`
)

// ClockOverlay writes into the folder work what go build -overlay makes such a
// program of, with the Go that builds what is in the folder module.
func ClockOverlay(ctx context.Context, module, work string, progress io.Writer) (file string, err error) {
	cmd := goCommand(ctx, module, progress, "GOFLAGS=")
	cmd.Args = append(cmd.Args, "env", "GOROOT")
	var root bytes.Buffer
	cmd.Stdout = &root
	if err := run(cmd); err != nil {
		return "", err
	}
	src := filepath.Join(strings.TrimSpace(root.String()), "src", "time")
	now, err := shiftedNow(filepath.Join(src, "time.go"))
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range map[string][]byte{"time.go": now, "clockshift.go": []byte(clockFile)} {
		replace[filepath.Join(src, name)] = filepath.Join(work, name)
		if err := os.WriteFile(filepath.Join(work, name), text, 0o644); err != nil {
			return "", fmt.Errorf("write clock overlay: %w", err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("write clock overlay: %w", err)
	}
	file = filepath.Join(work, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o644); err != nil {
		return "", fmt.Errorf("write clock overlay: %w", err)
	}
	return file, nil
}

func shiftedNow(file string) ([]byte, error) {
	old, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("shift the clock: %w", err)
	}
	if n := bytes.Count(old, []byte(nowOfTime)); n != 1 {
		return nil, fmt.Errorf("shift the clock: %d times %q in %s", n, nowOfTime, file)
	}
	return bytes.Replace(old, []byte(nowOfTime), []byte(nowOfTime+"\tsec += clockShift\n"), 1), nil
}
