package main

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/sttts/elastic-etcd/"

// notImported are, for each package, what it must not import itself, and why:
// prefixes of import paths. See docs/dependencies.md.
var notImported = map[string]map[string]string{
	"joiner": {module + "smallfile": "the decision reads nothing", "net/http": "the decision asks nobody", "os": "the decision reads nothing and runs nothing", "log": "the decision logs nothing"},
	"cli":    {"go.etcd.io/": protocols, "google.golang.org/grpc": protocols},
}

// notReached are what it must not even reach through others.
var notReached = map[string]map[string]string{
	"joiner":             {"github.com/": "only the standard library", "go.etcd.io/": "only the standard library", "net/http": "the decision asks nobody"},
	"unitfile":           {"go.etcd.io/": "rendering needs no etcd", "net/http": "rendering is pure", "github.com/godbus": "rendering needs no bus"},
	"datadir":            {"go.etcd.io/etcd": "etcd's own WAL reader costs 10 MB", "net/http": "a disk is not on the network", module + "etcdapi": adapters, module + "discovery": adapters},
	"etcdapi":            {module + "discovery": adapters, module + "datadir": adapters, module + "preflight": adapters},
	"preflight":          {"github.com/": "only the standard library", "go.etcd.io/": "only the standard library", "net/http": "it asks nobody but the resolver"},
	"discovery":          {module + "etcdapi": adapters, module + "datadir": adapters, "go.etcd.io/bbolt": "only the service needs a store"},
	"discovery/registry": {"github.com/": "only the standard library", "go.etcd.io/": "only the standard library"},
	"discovery/server":   {module + "etcdapi": "the service knows no cluster", "google.golang.org/grpc": "the service is plain HTTP"},
}

const (
	adapters  = "adapters do not know one another"
	protocols = "the command line speaks no protocol of etcd"
)

func TestImports(t *testing.T) {
	check(t, notImported, "{{join .Imports \"\\n\"}}")
	check(t, notReached, "{{join .Deps \"\\n\"}}")
}

func check(t *testing.T, rules map[string]map[string]string, list string) {
	t.Helper()
	for pkg, forbidden := range rules {
		out, err := exec.Command("go", "list", "-f", list, "./"+pkg).CombinedOutput()
		if err != nil {
			t.Fatalf("go list %s: %v: %s", pkg, err, out)
		}
		for _, dep := range strings.Fields(string(out)) {
			for prefix, why := range forbidden {
				if strings.HasPrefix(strings.TrimPrefix(dep, module+"joiner"), prefix) && !allowed(pkg, dep) {
					t.Errorf("%s imports %s: %s", pkg, dep, why)
				}
			}
		}
	}
}

// allowed is what everybody may import, the joiner less.
func allowed(pkg, dep string) bool {
	return dep+"/" == module+"joiner/" || dep == module+"smallfile" && pkg != "joiner"
}
