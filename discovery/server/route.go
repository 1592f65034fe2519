package server

import (
	"net/http"
	"strings"

	"github.com/sttts/elastic-etcd/discovery/registry"
)

// kind says what a path addresses.
type kind int

const (
	kindNew     kind = iota + 1 // /new
	kindHealth                  // /health
	kindMetrics                 // /metrics
	kindDir                     // /<token> and /<token>/
	kindSize                    // /<token>/_config/size
	kindMember                  // /<token>/<member ID>
)

func (k kind) String() string {
	if k == 0 {
		return "unknown"
	}
	return [...]string{"new", "health", "metrics", "token", "size", "member"}[k-1]
}

// target is what a request is about.
type target struct {
	kind          kind
	token, member string
}

// key is the target's name in answers. Only there it stands in the directory
// of discovery.etcd.io, as it does there; clients look at the last element.
func (t target) key() string {
	dir := registry.Dir + "/" + t.token
	switch t.kind {
	case kindSize:
		return dir + "/" + registry.Size
	case kindMember:
		return dir + "/" + t.member
	default:
		return dir
	}
}

// parsePath takes the path as it came, still escaped: no path of ours needs an
// escape, a dot or a second slash, so whatever plays tricks matches nothing.
func parsePath(path string) (target, bool) {
	switch path {
	case "/new":
		return target{kind: kindNew}, true
	case "/health":
		return target{kind: kindHealth}, true
	case "/metrics":
		return target{kind: kindMetrics}, true
	}
	token, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !strings.HasPrefix(path, "/") || len(token) != registry.TokenLen || !isHex(token) {
		return target{}, false
	}
	switch {
	case rest == "":
		return target{kind: kindDir, token: token}, true
	case rest == registry.Size:
		return target{kind: kindSize, token: token}, true
	case isMemberID(rest):
		return target{kind: kindMember, token: token, member: rest}, true
	}
	return target{}, false
}

// isMemberID accepts what %x prints of an uint64 and no second spelling of it:
// a member with two keys would take two places.
func isMemberID(s string) bool {
	if len(s) == 0 || len(s) > 16 || !isHex(s) {
		return false
	}
	return s[0] != '0' || s == "0"
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}

// methods are those a kind of target is served with. Places are taken with PUT
// alone: POST would invent a key. HEAD of /new would make a token nobody sees.
func (k kind) methods() []string {
	switch k {
	case kindNew:
		return []string{http.MethodGet, http.MethodPut, http.MethodPost}
	case kindMember:
		return []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete}
	default:
		return []string{http.MethodGet, http.MethodHead}
	}
}

// limited tells whether requests are bounded in their rate: not those of who
// watches over the service.
func (t target) limited() bool { return t.kind != kindHealth && t.kind != kindMetrics }
