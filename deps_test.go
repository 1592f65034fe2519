package main

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/sttts/elastic-etcd"

// forbidden are, for each package, the imports it must not reach, directly or
// not, and why. See docs/dependencies.md.
var forbidden = map[string]map[string]string{
	"joiner": {
		"net/http": "the decision asks nobody", "os": "the decision reads nothing", "os/exec": "the decision runs nothing",
		"log": "the decision logs nothing", "github.com/": "only the standard library", "go.etcd.io/": "only the standard library",
	},
	"unitfile": {"net/http": "rendering is pure", "go.etcd.io/": "rendering needs no etcd", "github.com/godbus": "rendering needs no bus"},
	"datadir": {"net/http": "the disk is not asked over the network", "go.etcd.io/etcd": "the WAL is read by hand: etcd's own reader costs 10 MB",
		module + "/etcdapi": "adapters do not know one another", module + "/discovery": "adapters do not know one another"},
	"etcdapi":          {module + "/discovery": "adapters do not know one another", module + "/datadir": "adapters do not know one another"},
	"discovery":        {module + "/etcdapi": "adapters do not know one another", module + "/datadir": "adapters do not know one another", "go.etcd.io/bbolt": "the client side needs no store", "google.golang.org/grpc": "v2 is plain HTTP"},
	"discovery/server": {"google.golang.org/grpc": "the service is plain HTTP", module + "/etcdapi": "the service knows no cluster"},
}

func TestImports(t *testing.T) {
	for pkg, rules := range forbidden {
		out, err := exec.Command("go", "list", "-deps", "./"+pkg).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", pkg, err)
		}
		for _, dep := range strings.Fields(string(out)) {
			for bad, why := range rules {
				own := dep == module+"/"+pkg || pkg == "joiner" && !strings.HasPrefix(bad, "go") && dep != bad
				if !own && (dep == bad || strings.HasPrefix(dep, bad) && strings.Contains(bad, ".")) && dep != module+"/joiner" {
					t.Errorf("%s reaches %s: %s", pkg, dep, why)
				}
			}
		}
	}
}
