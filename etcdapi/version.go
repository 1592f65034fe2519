package etcdapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-semver/semver"

	"github.com/sttts/elastic-etcd/joiner"
)

const (
	versionTimeout   = 5 * time.Second
	versionTries     = 3
	maxVersionOutput = 64 << 10 // bytes
)

// ParseVersion reads a semantic version such as "3.6.16", "v3.6.16" or
// "3.7.0-rc.1".
func ParseVersion(s string) (joiner.Version, error) {
	v, err := semver.NewVersion(strings.TrimPrefix(strings.TrimSpace(s), "v"))
	if err != nil {
		return joiner.Version{}, fmt.Errorf("version %q: want major.minor.patch", s)
	}
	return joiner.Version{Major: v.Major, Minor: v.Minor}, nil
}

// addsWhileDown tells whether an etcd of this version admits a newcomer while
// a voter is down and a quorum of those to come is connected: 3.5.30, 3.6.11
// and 3.7 were the first (etcd commits e989219f2 and 701b837c3).
func addsWhileDown(s string) bool {
	v, err := semver.NewVersion(strings.TrimPrefix(strings.TrimSpace(s), "v"))
	if err != nil || v.Major != 3 {
		return false
	}
	switch v.Minor {
	case 5:
		return v.Patch >= 30
	case 6:
		return v.Patch >= 11
	}
	return v.Minor >= 7
}

// LocalVersion asks an etcd binary for its version, by its --version. It gets
// 5 s, and three times that where a machine that boots is slow or was suspended:
// not to know the version is final. The errors name the binary.
func LocalVersion(ctx context.Context, binary string) (joiner.Version, error) {
	return localVersion(ctx, binary, versionTimeout)
}

func localVersion(ctx context.Context, binary string, timeout time.Duration) (v joiner.Version, err error) {
	late := fmt.Errorf("no end after %s", timeout)
	for range versionTries {
		try, cancel := context.WithTimeoutCause(ctx, timeout, late)
		v, err = askVersion(try, binary)
		cancel()
		if !errors.Is(err, late) {
			break
		}
	}
	return v, err
}

func askVersion(ctx context.Context, binary string) (joiner.Version, error) {
	out := &head{}
	cmd := exec.CommandContext(ctx, binary, "--version")
	cmd.Stdout = out
	cmd.Env = withoutEtcd(os.Environ())
	cmd.WaitDelay = time.Second // children that keep the pipe open
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return joiner.Version{}, fmt.Errorf("%s --version: %w", binary, err)
	}
	v, err := versionLine(out.Bytes())
	if err != nil {
		return joiner.Version{}, fmt.Errorf("%s --version: %w", binary, err)
	}
	return v, nil
}

func versionLine(out []byte) (joiner.Version, error) {
	m := regexp.MustCompile(`(?mi)^etcd version: *(\S+)`).FindSubmatch(out)
	if m == nil {
		return joiner.Version{}, fmt.Errorf("no line %q in its output: is it an etcd?", "etcd Version: ")
	}
	return ParseVersion(string(m[1]))
}

// withoutEtcd drops the variables that etcd reads: a wrong one is fatal to
// it, even for --version. Ours are none of its business: one is a password.
func withoutEtcd(env []string) []string {
	var kept []string
	for _, kv := range env {
		if !strings.HasPrefix(kv, "ETCD_") && !strings.HasPrefix(kv, "ELASTIC_ETCD_") {
			kept = append(kept, kv)
		}
	}
	return kept
}

// head keeps the first maxVersionOutput bytes and drops the rest.
type head struct{ bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	room := max(0, maxVersionOutput-h.Len())
	h.Buffer.Write(p[:min(len(p), room)])
	return len(p), nil
}
