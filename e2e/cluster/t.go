// Package cluster is the harness of the end-to-end tests, the demo and the
// benchmarks: hosts on loopback addresses of their own with real etcd servers
// on the standard ports, and the elastic-etcd binary run on them.
//
// Everything a Lab starts dies with it, and with the process that made it.
// Methods that fail the test belong on the test's own goroutine; those called
// Try... return an error instead and may be called from anywhere.
package cluster

// T is what the harness needs of a test. Every testing.TB is one; Script makes
// one for a program.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
	Cleanup(f func())
	TempDir() string
}
