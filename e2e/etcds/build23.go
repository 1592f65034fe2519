package etcds

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	import23 = "github.com/coreos/etcd"
	vendor23 = "Godeps/_workspace"
	// The codec's base64 alphabet has one character twice, which Go >= 1.22
	// does not accept any more.
	codec23    = vendor23 + "/src/github.com/ugorji/go/codec/gen.go"
	alphabet23 = `0123456789__"`
	patched23  = `0123456789_-"`
)

// compile23 builds etcd 2.3, which is older than modules and than a vendor
// folder, in GOPATH mode from a copy of the module's source.
func compile23(ctx context.Context, module, work, binary string, progress io.Writer, more ...string) error {
	source, err := source23(ctx, module, progress)
	if err != nil {
		return err
	}
	dir := filepath.Join(work, "src", import23)
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		return fmt.Errorf("copy source: %w", err)
	}
	if err := patchCodec23(filepath.Join(dir, codec23)); err != nil {
		return err
	}
	gopath := work + string(filepath.ListSeparator) + filepath.Join(dir, vendor23)
	cmd := goCommand(ctx, dir, progress, "GO111MODULE=off", "GOFLAGS=", "GOTMPDIR="+work, "GOPATH="+gopath)
	cmd.Args = append(cmd.Args, "build", "-buildvcs=false",
		"-trimpath", "-ldflags", "-s -w", "-o", binary)
	cmd.Args = append(append(cmd.Args, more...), ".")
	return run(cmd)
}

// source23 is the folder of the sources in the module cache, checked against
// go.sum.
func source23(ctx context.Context, module string, progress io.Writer) (string, error) {
	cmd := goCommand(ctx, module, progress, "GO111MODULE=on", "GOFLAGS=")
	cmd.Args = append(cmd.Args, "mod", "download", "-json", import23)
	var out bytes.Buffer
	cmd.Stdout = &out
	err := run(cmd)
	var info struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out.Bytes(), &info); jsonErr == nil && info.Error != "" {
		return "", fmt.Errorf("download source: %s", info.Error)
	}
	if err != nil {
		return "", err
	}
	if info.Dir == "" {
		return "", fmt.Errorf("download source: no folder in %q", out.String())
	}
	return info.Dir, nil
}

func patchCodec23(file string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("patch codec: %w", err)
	}
	if n := bytes.Count(old, []byte(alphabet23)); n != 1 {
		return fmt.Errorf("patch codec: alphabet found %d times in %s", n, file)
	}
	patched := bytes.Replace(old, []byte(alphabet23), []byte(patched23), 1)
	if err := os.WriteFile(file, patched, 0o644); err != nil {
		return fmt.Errorf("patch codec: %w", err)
	}
	return nil
}
