// Package simulator is an etcd cluster for tests of the decision: it admits
// and refuses changes of its membership as etcd of its version does, keeps or
// loses its quorum by them, and shows itself to an observer as a real one
// would. It runs nothing and waits for nothing, and is cheap to clone and to
// compare, so that a test can walk through every state.
//
// Its rules are etcd's sources; testdata/verdicts.txt holds what they come to,
// and e2e/simulator_test.go holds real servers to the same file.
//
// It is for tests alone. Tests in package joiner cannot import it (it imports
// joiner): those that do are in package joiner_test.
package simulator
