// etcd 2.3 is older than Go modules and is built in GOPATH mode; this module
// only pins its source, see ../build23.go. (No go mod tidy here: nothing
// imports it.)
module github.com/sttts/elastic-etcd/e2e/etcds/2.3

go 1.26.0

require github.com/coreos/etcd v2.3.8+incompatible
