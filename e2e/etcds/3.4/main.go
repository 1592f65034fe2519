// The etcd server 3.4.34, built as it is released, for the e2e tests.
package main

import (
	"go.etcd.io/etcd/etcdmain"
)

func main() {
	etcdmain.Main()
}
