// Command ignite does on a directory what Ignition does on a fresh disk, with
// Butane's and Ignition's own parsers: it reads Butane from standard input and
// writes files and units below DIR. What the file would fetch is taken from
// BINARY, if that has the checksum that is asked for.
//
//	ignite DIR BINARY <flatcar.bu
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	butane "github.com/coreos/butane/config"
	"github.com/coreos/butane/config/common"
	ignition "github.com/coreos/ignition/v2/config"
	"github.com/coreos/ignition/v2/config/v3_7_experimental/types"
	"github.com/vincent-petithory/dataurl"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: ignite DIR BINARY <FILE.bu")
		os.Exit(2)
	}
	if err := ignite(os.Stdin, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "ignite:", err)
		os.Exit(1)
	}
}

func ignite(in io.Reader, dir, binary string) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	c, err := translate(text)
	if err != nil {
		return err
	}
	for _, f := range c.Storage.Files {
		if err := writeFile(f, dir, binary); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	for _, u := range c.Systemd.Units {
		if err := writeUnit(u, filepath.Join(dir, "etc/systemd/system")); err != nil {
			return fmt.Errorf("%s: %w", u.Name, err)
		}
	}
	return nil
}

// translate is butane --strict, and then Ignition's own reading of the result.
func translate(text []byte) (types.Config, error) {
	raw, report, err := butane.TranslateBytes(text, common.TranslateBytesOptions{Raw: true})
	if err != nil || len(report.Entries) != 0 {
		return types.Config{}, fmt.Errorf("butane: %w: %v", err, report)
	}
	c, report, err := ignition.Parse(raw)
	if err != nil || len(report.Entries) != 0 {
		return types.Config{}, fmt.Errorf("ignition: %w: %v", err, report)
	}
	return c, nil
}

func writeFile(f types.File, dir, binary string) error {
	content, err := contentOf(f, binary)
	if err != nil {
		return err
	}
	return write(filepath.Join(dir, f.Path), content, os.FileMode(*f.Mode))
}

func contentOf(f types.File, binary string) ([]byte, error) {
	if strings.HasPrefix(*f.Contents.Source, "data:") {
		url, err := dataurl.DecodeString(*f.Contents.Source)
		if err != nil {
			return nil, err
		}
		return expand(url.Data, f.Contents.Compression)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	if hash := fmt.Sprintf("sha256-%x", sha256.Sum256(content)); f.Contents.Verification.Hash == nil || hash != *f.Contents.Verification.Hash {
		return nil, fmt.Errorf("%s has the checksum %s, not the one that is asked for", binary, hash)
	}
	return content, nil
}

func expand(data []byte, compression *string) ([]byte, error) {
	if compression == nil || *compression == "" {
		return data, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(data)) // the only one there is
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func writeUnit(u types.Unit, dir string) error {
	if u.Contents != nil {
		if err := write(filepath.Join(dir, u.Name), []byte(*u.Contents), 0o644); err != nil {
			return err
		}
	}
	for _, d := range u.Dropins {
		if err := write(filepath.Join(dir, u.Name+".d", d.Name), []byte(*d.Contents), 0o644); err != nil {
			return err
		}
	}
	if u.Enabled == nil || !*u.Enabled {
		return nil
	}
	wants := filepath.Join(dir, "multi-user.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		return err
	}
	return os.Symlink(filepath.Join("..", u.Name), filepath.Join(wants, u.Name))
}

func write(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, mode)
}
