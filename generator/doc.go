// Package generator brings a decision to systemd: it writes drop-ins
// atomically, has the manager read them again over D-Bus, looks at what the
// unit says already, and is the systemd.generator(7) that wires elastic-etcd
// into etcd's unit.
package generator
