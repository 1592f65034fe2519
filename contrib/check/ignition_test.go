package check

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/containers/podman/v5/pkg/systemd/parser"
	"github.com/containers/podman/v5/pkg/systemd/quadlet"
	butane "github.com/coreos/butane/config"
	"github.com/coreos/butane/config/common"
	ignition "github.com/coreos/ignition/v2/config"
	"github.com/coreos/ignition/v2/config/v3_7_experimental/types"
	"github.com/vincent-petithory/dataurl"
)

// translate is butane --strict, and then Ignition's validation of the result.
func translate(t *testing.T, text string) types.Config {
	t.Helper()
	raw, report, err := butane.TranslateBytes([]byte(text), common.TranslateBytesOptions{Raw: true})
	if err != nil || len(report.Entries) != 0 {
		t.Fatalf("butane: %v\n%v", err, report.String())
	}
	c, report, err := ignition.Parse(raw)
	if err != nil || len(report.Entries) != 0 {
		t.Fatalf("ignition: %v\n%v\n%s", err, report.String(), raw)
	}
	return c
}

// ignitionFiles gives the files that are in the configuration itself.
func ignitionFiles(t *testing.T, c types.Config) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, f := range c.Storage.Files {
		if !strings.HasPrefix(*f.Contents.Source, "data:") {
			continue
		}
		url, err := dataurl.DecodeString(*f.Contents.Source)
		if err != nil {
			t.Fatal(err)
		}
		content := url.Data
		if c := f.Contents.Compression; c != nil && *c == "gzip" {
			r, err := gzip.NewReader(bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			if content, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		files[f.Path] = string(content)
	}
	return files
}

// TestIgnitionFetch: what is fetched is the release's binary, executable, and
// verified by its checksum.
func TestIgnitionFetch(t *testing.T) {
	for file, path := range map[string]string{flatcarFile: "/opt/bin/elastic-etcd", fcosFile: "/usr/local/bin/elastic-etcd"} {
		var fetched []string
		for _, f := range translate(t, filled(t, file)).Storage.Files {
			source := *f.Contents.Source
			if strings.HasPrefix(source, "data:") {
				continue
			}
			fetched = append(fetched, f.Path)
			if !strings.HasSuffix(source, "/download/"+version+"/elastic-etcd-"+version+"-linux-amd64") {
				t.Errorf("%s: %s is %s", file, f.Path, source)
			}
			if hash := f.Contents.Verification.Hash; hash == nil || *hash != "sha256-"+sumAMD64 {
				t.Errorf("%s: %s is not verified", file, f.Path)
			}
			if f.Mode == nil || *f.Mode != 0o755 {
				t.Errorf("%s: %s has mode %v", file, f.Path, f.Mode)
			}
		}
		if len(fetched) != 1 || fetched[0] != path {
			t.Errorf("%s fetches %q", file, fetched)
		}
	}
}

// TestIgnitionUnfilled: without a checksum there is no configuration at all.
func TestIgnitionUnfilled(t *testing.T) {
	for _, file := range []string{flatcarFile, fcosFile} {
		_, report, err := butane.TranslateBytes([]byte(read(t, file)), common.TranslateBytesOptions{Raw: true})
		if err == nil || !strings.Contains(report.String(), "hash") {
			t.Errorf("%s: a file without a checksum is translated: %v %v", file, err, report.String())
		}
	}
}

// dropIns gives the units and drop-ins of a configuration, by path.
func dropIns(c types.Config) map[string]string {
	units := map[string]string{}
	for _, u := range c.Systemd.Units {
		if u.Contents != nil {
			units[u.Name] = *u.Contents
		}
		for _, d := range u.Dropins {
			units[u.Name+".d/"+d.Name] = *d.Contents
		}
	}
	return units
}

func TestFlatcarUnits(t *testing.T) {
	units := dropIns(translate(t, filled(t, flatcarFile)))
	if units["etcd-member.service.d/10-elastic-etcd.conf"] == "" {
		t.Fatalf("no drop-in: %v", units)
	}
	units["etcd-member.service"] = flatcarEtcdMember
	verify(t, units, "/usr/lib/flatcar/etcd-wrapper", "/opt/bin/elastic-etcd", "/opt/bin/elastic-etcd-address")
}

// TestQuadlet has podman make the unit, and systemd read it with the drop-in.
func TestQuadlet(t *testing.T) {
	config := translate(t, filled(t, fcosFile))
	container := parser.NewUnitFile()
	container.Filename = "etcd.container"
	if err := container.Parse(ignitionFiles(t, config)["/etc/containers/systemd/etcd.container"]); err != nil {
		t.Fatal(err)
	}
	service, err := quadlet.ConvertContainer(container, false, map[string]*quadlet.UnitInfo{"etcd.container": {ServiceName: "etcd"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := service.ToString()
	if err != nil {
		t.Fatal(err)
	}
	start, _ := service.Lookup("Service", "ExecStart")
	for _, want := range []string{" --env=ETCD_* ", " --sdnotify container ", " -v /var/lib/etcd:/var/lib/etcd:Z ", " quay.io/coreos/etcd:v3.6.16 /usr/local/bin/etcd"} {
		if !strings.Contains(strings.ReplaceAll(start, "=container", " container")+" ", want) {
			t.Errorf("no %q in %s", want, start)
		}
	}
	units := dropIns(config)
	if units["etcd.service.d/10-elastic-etcd.conf"] == "" || units["etcd.service"] != "" {
		t.Fatalf("not only a drop-in: %v", units)
	}
	units["etcd.service"] = text
	verify(t, units, "/usr/bin/podman", "/bin/rm", "/usr/local/bin/elastic-etcd", "/usr/local/bin/elastic-etcd-address")
}

// TestOneEtcdVersion: elastic-etcd is told the version of the image.
func TestOneEtcdVersion(t *testing.T) {
	for _, file := range []string{flatcarFile, fcosFile} {
		text := read(t, file)
		if n := strings.Count(text, "3.6.16"); n != 2 || strings.Count(text, "v3.6.16\n") != 1 || strings.Count(text, "--etcd-version=3.6.16\n") != 1 {
			t.Errorf("%s: the tag of the image and --etcd-version differ", file)
		}
	}
}
