# elastic-etcd. "make help" lists the targets.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/sttts/elastic-etcd/cli.stamped=$(VERSION)
CACHE   ?= $(CURDIR)/.cache
BINARY  := $(CURDIR)/bin/elastic-etcd

export ELASTIC_ETCD_TEST_CACHE := $(CACHE)/etcd
export ELASTIC_ETCD_BINARY     := $(BINARY)

# Versions of the tools that "make check" runs, each by "go run".
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.DEFAULT_GOAL := help
.PHONY: help build etcd rootfs demo test check bench enumerate chaos fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/elastic-etcd: static, trimmed, version stamped
	@CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags '$(LDFLAGS)' -o $(BINARY) . # nobody looks at gRPC's trace pages: 0.4 MB

etcd: ## build the pinned etcd servers that tests and demo use (minutes, once)
	@cd e2e && go run ./cmd/buildetcd

ROOTS ?= bullseye trixie sid
rootfs: ## build small Debian roots with other versions of systemd for the tests (root only)
	@for suite in $(ROOTS); do e2e/machine/mkroot.sh $$suite $(CACHE)/rootfs/$$suite || exit 1; done

demo: build ## found a cluster on real etcd, lose a member, replace it
	@cd e2e && go run ./cmd/buildetcd 3.6.16 && go run ./cmd/demo

test: build etcd ## run all tests: units, then end to end on real etcd servers
	@[ "$$(id -u)" = 0 ] || echo "make test: not root: the tests on a real systemd are SKIPPED"
	@for suite in $(ROOTS); do [ -d "$(CACHE)/rootfs/$$suite" ] || echo "make test: the systemd of Debian $$suite is SKIPPED, make rootfs builds it"; done
	@go test ./...
	@cd contrib/check && go test -count=1 -timeout 15m ./...
	@cd e2e && go test -count=1 -parallel 8 -timeout 45m ./...

check: ## format, vet, staticcheck, race detector, tidy modules, known vulnerabilities
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "run gofmt -w on these"; exit 1; }
	@for m in . e2e contrib/check; do (cd $$m && go vet ./... && go run $(STATICCHECK) ./... && go mod tidy -diff) || exit 1; done
	@go test -race ./...
	@.ci/vulncheck $(GOVULNCHECK)

bench: build etcd ## measure decisions beside the bare RPCs on the same cluster
	@cd e2e && go test -run '^$$' -bench . -benchtime 10x ./...

enumerate: build etcd ## try the decision on every cluster of up to seven members, and the simulator beside real etcd (long)
	@ELASTIC_ETCD_ENUMERATE=7 go test -count=1 -run TestEveryCluster -timeout 30m -v ./joiner
	@ELASTIC_ETCD_ENUMERATE=7 go test -count=1 -run TestCrashAtEveryStep -timeout 4h -v ./joiner/simulator
	@ELASTIC_ETCD_ENUMERATE=5 go test -count=1 -run TestTogether -timeout 4h -v ./joiner/simulator
	@cd e2e && ELASTIC_ETCD_ENUMERATE=7 go test -count=1 -parallel 4 -timeout 30m -v -run TestSimulator .

ROUNDS ?= 20
chaos: build etcd ## let hosts found, grow and be replaced while everything breaks (root, long; ROUNDS=n)
	@cd e2e && ELASTIC_ETCD_CHAOS_ROUNDS=$(ROUNDS) go test -count=1 -v -parallel 2 -timeout 12h -run '^Test(Chaos|Faults|Crash)$$' .

FUZZTIME ?= 60s
fuzz: ## fuzz every parser and renderer for FUZZTIME each (long)
	@go test ./... -list '^Fuzz' | awk '/^Fuzz/ { f[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, f[i]; n = 0 }' | \
	while read -r package target; do go test "$$package" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; done

clean: ## remove what the other targets made here, the etcd servers too
	@rm -rf bin dist .cache

include packaging/Makefile.inc
