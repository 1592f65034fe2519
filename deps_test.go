package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
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

var (
	// row is a line of the first table in docs/dependencies.md: a module, and
	// the packages that use it.
	row = regexp.MustCompile("(?m)^\\| `([^`]+\\.[^`]+)` \\| ([^|]+) \\|")

	// requirement is a line of go.mod that is not an indirect one.
	requirement = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)
)

// TestDocumented compares docs/dependencies.md with what there is.
func TestDocumented(t *testing.T) {
	page, imports := read(t, "docs/dependencies.md"), importsOfAll(t)
	rows := map[string]string{}
	for _, r := range row.FindAllStringSubmatch(page, -1) {
		rows[r[1]] = r[2]
	}
	for _, m := range requirement.FindAllStringSubmatch(read(t, "go.mod"), -1) {
		if want := users(imports, m[1]); rows[m[1]] != want {
			t.Errorf("docs/dependencies.md says that %s is used by %q, want %s", m[1], rows[m[1]], want)
		}
		delete(rows, m[1])
	}
	for m := range rows {
		t.Errorf("docs/dependencies.md has a row of %s, which go.mod does not require", m)
	}
	for pkg := range imports {
		if !strings.Contains(page, "\n| `"+pkg+"` |") {
			t.Errorf("docs/dependencies.md has no row of package %s", pkg)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// importsOfAll are the imports of each package below this one.
func importsOfAll(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if pkg, below := strings.CutPrefix(words[0], module); below {
			imports[pkg] = words[1:]
		}
	}
	return imports
}

// users are the packages that import a module, as the page lists them.
func users(imports map[string][]string, module string) string {
	var list []string
	for pkg, paths := range imports {
		if slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(p+"/", module+"/") }) {
			list = append(list, pkg)
		}
	}
	slices.Sort(list)
	return "`" + strings.Join(list, "`, `") + "`"
}
