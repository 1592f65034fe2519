package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"
)

// form is the query and the body of a request; the body wins.
type form struct{ url.Values }

// boolean reads a flag; missing and empty mean false.
func (f form) boolean(name string) (bool, error) {
	value := f.Get(name)
	if value == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		return false, invalidField(fmt.Sprintf("invalid value for %q", name))
	}
	return b, nil
}

// booleans checks flags that make no difference here.
func (f form) booleans(names ...string) error {
	for _, name := range names {
		if _, err := f.boolean(name); err != nil {
			return err
		}
	}
	return nil
}

// unset refuses fields that would ask for what this service never does.
func (f form) unset(why string, names ...string) error {
	for _, name := range names {
		if f.Get(name) != "" {
			return invalidField(fmt.Sprintf("%q: %s", name, why))
		}
	}
	return nil
}

// registration returns the value to register and whether the request insists
// on creating it.
func (f form) registration(maxValue int) (value string, createOnly bool, err error) {
	if err := f.unset("a registration never changes and never expires",
		"prevValue", "prevIndex", "ttl", "refresh", "dir"); err != nil {
		return "", false, err
	}
	if f.Has("prevExist") {
		exist, err := f.boolean("prevExist")
		if err != nil {
			return "", false, err
		}
		if exist || f.Get("prevExist") == "" {
			return "", false, invalidField(`"prevExist": a registration never changes, only false is accepted`)
		}
		createOnly = true
	}
	value, err = checkValue(f.Get("value"), maxValue)
	return value, createOnly, err
}

// checkValue lets only through what comes back from a JSON answer byte for
// byte, and what etcd takes for a registration.
func checkValue(value string, limit int) (string, error) {
	switch {
	case value == "":
		return "", &protocolError{status: http.StatusBadRequest, code: codeValueRequired, cause: "value is empty"}
	case len(value) > limit:
		return "", &protocolError{status: http.StatusRequestEntityTooLarge, code: codeInvalidForm,
			cause: fmt.Sprintf("value is longer than %d bytes", limit)}
	case !utf8.ValidString(value):
		return "", badRegistration("not UTF-8")
	}
	return value, checkRegistration(value)
}

// query is what a GET asks for.
type query struct {
	wait, recursive, sorted bool
	waitIndex               uint64 // 0 = whatever comes next
}

func (f form) query() (q query, err error) {
	if err := f.booleans("quorum"); err != nil {
		return q, err
	}
	if err := f.unset("one event per request is served", "stream"); err != nil {
		return q, err
	}
	for name, flag := range map[string]*bool{"wait": &q.wait, "recursive": &q.recursive, "sorted": &q.sorted} {
		if *flag, err = f.boolean(name); err != nil {
			return q, err
		}
	}
	if index := f.Get("waitIndex"); index != "" {
		if q.waitIndex, err = strconv.ParseUint(index, 10, 64); err != nil {
			return q, &protocolError{status: http.StatusBadRequest, code: codeIndexNaN, cause: "invalid value for \"waitIndex\""}
		}
	}
	return q, nil
}
