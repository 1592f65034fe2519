package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Error codes of the v2 API.
const (
	codeKeyNotFound   = 100
	codeTooMany       = 103
	codeExists        = 105
	codeReadOnly      = 107
	codeValueRequired = 200
	codeIndexNaN      = 203
	codeInvalidField  = 209
	codeInvalidForm   = 210
	codeInternal      = 300
)

// message is etcd's text for a code, except that of 107, which speaks of the
// root directory there.
func message(code int) string {
	switch code {
	case codeKeyNotFound:
		return "Key not found"
	case codeTooMany:
		return "Reached the max number of peers in the cluster"
	case codeExists:
		return "Key already exists"
	case codeReadOnly:
		return "Key is read only"
	case codeValueRequired:
		return "Value is Required in POST form"
	case codeIndexNaN:
		return "The given index in POST form is not a number"
	case codeInvalidField:
		return "Invalid field"
	case codeInvalidForm:
		return "Invalid POST form"
	default:
		return "Raft Internal Error"
	}
}

// protocolError is a failure as a v2 client understands it.
type protocolError struct {
	status int
	code   int
	cause  string
	index  uint64
}

func (e *protocolError) Error() string {
	return fmt.Sprintf("%d: %s (%s)", e.code, message(e.code), e.cause)
}

func keyNotFound(key string, index uint64) error {
	return &protocolError{status: http.StatusNotFound, code: codeKeyNotFound, cause: key, index: index}
}

func invalidField(cause string) error {
	return &protocolError{status: http.StatusBadRequest, code: codeInvalidField, cause: cause}
}

// unavailable is a refusal for now: etcd's clients back off and try again.
func unavailable(cause string) error {
	return &protocolError{status: http.StatusServiceUnavailable, code: codeInternal, cause: cause}
}

// storeError turns what a Store reports about a target into a v2 failure.
// What is not the client's doing stays as it is and becomes a 500: etcd's
// clients take that for a passing failure and any 4xx for a final one.
func storeError(err error, t target, index uint64) error {
	switch {
	case errors.Is(err, ErrUnknownToken), errors.Is(err, ErrUnknownMember):
		return keyNotFound(t.key(), index)
	case errors.Is(err, ErrExists):
		return &protocolError{http.StatusPreconditionFailed, codeExists, t.key(), index}
	case errors.Is(err, ErrClash):
		return &protocolError{http.StatusPreconditionFailed, codeExists, t.key() + ": " + ErrClash.Error(), index}
	case errors.Is(err, ErrNoRoom):
		return &protocolError{http.StatusInsufficientStorage, codeInternal, ErrNoRoom.Error(), index}
	case errors.Is(err, ErrFull):
		return &protocolError{http.StatusForbidden, codeTooMany, t.key(), index}
	case errors.Is(err, ErrFounder):
		return &protocolError{http.StatusForbidden, codeReadOnly, t.key() + ": a founder's place is never freed", index}
	}
	return err
}

// writeError answers with a v2 error body. An error that is not a protocol
// error is the service's own: it is reported, and the client learns no detail.
func (s *Server) writeError(w http.ResponseWriter, err error) {
	var e *protocolError
	if !errors.As(err, &e) {
		s.options.Report(err)
		e = &protocolError{status: http.StatusInternalServerError, code: codeInternal, cause: "the store failed"}
	}
	setIndex(w, e.index)
	w.WriteHeader(e.status)
	body, _ := toJSON(struct { // strings and numbers never fail
		ErrorCode int    `json:"errorCode"`
		Message   string `json:"message"`
		Cause     string `json:"cause,omitempty"`
		Index     uint64 `json:"index"`
	}{e.code, message(e.code), e.cause, e.index})
	_, _ = w.Write(body) // it fails where the client is gone
}

// event is the body of a v2 success.
type event struct {
	Action   string `json:"action"`
	Node     *node  `json:"node"`
	PrevNode *node  `json:"prevNode,omitempty"`
}

type node struct {
	Key           string  `json:"key"`
	Dir           bool    `json:"dir,omitempty"`
	Value         *string `json:"value,omitempty"`
	Nodes         []*node `json:"nodes,omitempty"`
	ModifiedIndex uint64  `json:"modifiedIndex"`
	CreatedIndex  uint64  `json:"createdIndex"`
}

func (e Entry) node(token string) *node {
	return &node{
		Key:           target{kind: kindMember, token: token, member: e.ID}.key(),
		Value:         &e.Value,
		ModifiedIndex: e.Index,
		CreatedIndex:  e.Index,
	}
}

// setIndex sets the headers of every v2 answer. There is no raft here; its
// index is ours and its term never changes.
func setIndex(w http.ResponseWriter, index uint64) {
	value := strconv.FormatUint(index, 10)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Etcd-Index", value)
	h.Set("X-Raft-Index", value)
	h.Set("X-Raft-Term", "1")
}

// toJSON writes < and its like as they are: an answer is no page.
func toJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// writeEvent answers with an event, unless too many large answers are under way.
func (s *Server) writeEvent(w http.ResponseWriter, r *http.Request, status int, index uint64, e event) error {
	body, err := toJSON(e)
	if err != nil {
		return err
	}
	end, ok := s.answers.begin(network(r.RemoteAddr), len(body))
	if !ok {
		w.Header().Set("Retry-After", "1")
		return unavailable("too many large answers are under way")
	}
	defer end()
	setIndex(w, index)
	w.WriteHeader(status)
	_, _ = w.Write(body) // it fails where the client is gone
	return nil
}

func writeText(w http.ResponseWriter, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text)
	return nil
}
