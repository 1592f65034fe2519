package server

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Served is a request that was answered, for a log.
type Served struct {
	What   string // new, token, size, member, health, metrics, unknown
	Method string // "other" for those that nobody uses
	Code   int    // the status code
	Token  string // a name for the token that does not give it away, "" = none
	Remote string // the address it came from
	Took   time.Duration
	Polled bool // it waited for an event
}

// Changed tells whether something is different since.
func (s Served) Changed() bool {
	if s.Code != 200 && s.Code != 201 {
		return false
	}
	return s.What == kindNew.String() || s.Method == "PUT" || s.Method == "DELETE"
}

// secretless names a token in logs: whoever knows a token can use it, so it is
// not told.
func (t target) secretless() string {
	if t.token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(t.token))
	return hex.EncodeToString(sum[:4])
}
