package server

import (
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

func TestCheckRegistration(t *testing.T) {
	for value, ok := range map[string]bool{
		"a=http://10.0.0.1:2380":                          true,
		"a=https://[fd00::1]:2380":                        true,
		"a=http://h:1,a=http://h:2":                       true,
		"a= http://h:1 ,a= http://h:2 ":                   true, // as etcd, which trims
		"a_b-c.d=http://a_b.c-d.:1":                       true,
		" a = http://h:1 , a = http://h:2 ":               false,
		"a=http://h:1, a=http://h:2":                      false, // two names for etcd
		"a=http://h:1#":                                   false,
		"a=http://h:1?":                                   false,
		"a=http://<x>\"y:1":                               false,
		"a=http://*:1":                                    false,
		"a=http://..:1":                                   false,
		"a=http://.:1":                                    false,
		"a=http://$x:1":                                   false,
		"a=http://a;b:1":                                  false,
		"a=http://a b:1":                                  false,
		"a=http://%41:1":                                  false,
		"a=http://[h]:1":                                  false,
		"a=http://[::1]:1,a=http://[0:0::1]:1":            false,
		"a=http://127.0.0.1:1,a=http://[::ffff:7f00:1]:1": false,
		"a=http://h:1,a=http://h.:1":                      false,
		"ü \"<x>=http://h:1":                              true,
		"a b=http://h:65535":                              true,
		"a=unix://127.0.0.1:2380":                         false,
		"a=http://h:0":                                    false,
		"a=http://h:65536":                                false,
		"a=http://h:1?q":                                  false,
		"a=http://h:1#f":                                  false,
		"a=http://h:1,a=http://H:01":                      false,
		"a\nb=http://h:1":                                 false,
		"a\x1b[31m=http://h:1":                            false,
		"":                                                false,
		"garbage":                                         false,
		"a=":                                              false,
		"=http://h:1":                                     false,
		" =http://h:1":                                    false,
		"a=http://h":                                      false,
		"a=http://h:":                                     false,
		"a=http://:1":                                     false,
		"a=http://h:1/":                                   false,
		"a=http://h:1/path":                               false,
		"a=ftp://h:1":                                     false,
		"a=//h:1":                                         false,
		"a=h:1":                                           false,
		"a=http://h:1,":                                   false,
		",a=http://h:1":                                   false,
		"a=http://h:1,,a=http://h:2":                      false,
		"a=http://h:1,b=http://h:2":                       false,
		"a=http://h:1,http://h:2":                         false,
		"a=http://%zz:1":                                  false,
		"a=http://h:1\n":                                  true, // as etcd, which trims
		"a=http://h\n:1":                                  false,
		"a=http://" + strings.Repeat("x", 100) + "/:1":  false,
		"a=http://u:p@" + strings.Repeat("x", 9) + ":1": false,
		strings.Repeat("a", 256) + "=http://h:1":        false,
	} {
		if err := checkRegistration(value); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// FuzzRegistration: every host can read what takes a place, and finds one name.
func FuzzRegistration(f *testing.F) {
	for _, seed := range []string{"a=http://h:1", "a=http://h:1, a=http://h:2", "a=https://[::1]:1,a=http://10.0.0.1:01", "a=http://[fe80::1%25e]:1", "=", "a=http://h:1#", "a=http://h:1,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if checkRegistration(value) != nil {
			return
		}
		if peer, err := (joiner.Entry{Value: value}).Peer(); err != nil || peer.Name != pairs(value)[0].name {
			t.Errorf("%q: %+v, %v", value, peer, err)
		}
	})
}

func TestGarbageTakesNoPlace(t *testing.T) {
	s := startService(t, Options{})
	token := s.newToken("1")
	for _, value := range []string{"garbage", "a=", "a=http://h:1,b=http://h:2"} {
		re := s.do("PUT", token+"/1?prevExist=false", url.Values{"value": {value}})
		if re.status != 400 || re.errorCode() != 210 || !strings.Contains(re.body, "value: ") {
			t.Errorf("%q: %d %s", value, re.status, re.body)
		}
	}
	s.put(token+"/1", "a=http://h:1")
}

// Of founders that register one name, or one peer URL, at the same instant,
// one has a place; the token is not spoilt for the others.
func TestOneNameIsRegisteredOnce(t *testing.T) {
	s := startService(t, Options{})
	for name, value := range map[string]func(id string) string{
		"name": func(id string) string { return "same=http://h" + id + ":1" },
		"url":  func(id string) string { return "n" + id + "=http://same:1" },
	} {
		token := s.newToken("3")
		var all sync.WaitGroup
		codes := make(chan int, 15)
		for id := range 15 {
			member := string("123456789abcdef"[id])
			all.Go(func() {
				re := s.do("PUT", token+"/"+member+"?prevExist=false", url.Values{"value": {value(member)}})
				if re.status != 201 && (re.status != 412 || re.errorCode() != 105 || !strings.Contains(re.body, "a founder has this name or peer URL already")) {
					t.Errorf("%s: %d %s", name, re.status, re.body)
				}
				codes <- re.status
			})
		}
		all.Wait()
		close(codes)
		won := 0
		for code := range codes {
			if code == 201 {
				won++
			}
		}
		if nodes := s.do("GET", token, nil).event(t).Node.Nodes; won != 1 || len(nodes) != 1 {
			t.Errorf("%s: %d won, %d are registered", name, won, len(nodes))
		}
	}
}
