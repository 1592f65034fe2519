// Package registry is what all who make, serve or read discovery tokens agree
// upon.
package registry

import (
	"crypto/rand"
	"encoding/hex"
)

const (
	// Dir is the directory of the tokens: in an etcd 3, of etcd's own discovery
	// (server/etcdserver/api/v3discovery/discovery.go), and in the v2 keys of
	// discovery.etcd.io.
	Dir = "/_etcd/registry"

	// Size is the key below a token that has the number of founders.
	Size = "_config/size"

	// TokenLen is the length of a token of ours: 128 bits in hex. Others make
	// them as they like.
	TokenLen = 32
)

// NewToken makes a token that nobody can guess.
func NewToken() string {
	b := make([]byte, TokenLen/2)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}
