//go:build !linux

package datadir

// readOnly is for hosts that run etcd: Linux.
func readOnly(...string) string { return "" }
