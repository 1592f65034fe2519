package server

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestNewAnswersWithTheURLOfAFreshToken(t *testing.T) {
	s := startService(t, Options{})
	want := regexp.MustCompile("^" + regexp.QuoteMeta(s.http.URL) + "/[0-9a-f]{32}$")
	seen := map[string]bool{}
	for _, method := range []string{"GET", "PUT", "POST"} {
		re := s.do(method, "/new?size=5", nil)
		if re.status != 200 || !want.MatchString(re.body) || seen[re.body] {
			t.Errorf("%s /new: %d %q", method, re.status, re.body)
		}
		if ct := re.header.Get("Content-Type"); !strings.HasPrefix(ct, "text/plain") {
			t.Errorf("%s /new: content type %q", method, ct)
		}
		seen[re.body] = true
		if got := sizeOf(s, strings.TrimPrefix(re.body, s.http.URL)); got != "5" {
			t.Errorf("%s /new?size=5: size %q", method, got)
		}
	}
	re := s.do("POST", "/new", url.Values{"size": {"7"}})
	if got := sizeOf(s, strings.TrimPrefix(re.body, s.http.URL)); got != "7" {
		t.Errorf("size in the form: %q", got)
	}
	re = s.do("GET", "/new", nil)
	if got := sizeOf(s, strings.TrimPrefix(re.body, s.http.URL)); got != "3" {
		t.Errorf("default size: %q", got)
	}
}

func sizeOf(s *service, token string) string {
	s.t.Helper()
	return *s.do("GET", token+"/_config/size", nil).event(s.t).Node.Value
}

func TestNewRefusesABadSize(t *testing.T) {
	s := startService(t, Options{})
	for _, size := range []string{"0", "-1", "100", "x", "3.0", "+3", "1e1", "99999999999999999999", "%00", "3%20"} {
		re := s.do("GET", "/new?size="+size, nil)
		if re.status != 400 || !strings.Contains(re.body, "from 1 to 99") {
			t.Errorf("size=%s: %d %q", size, re.status, re.body)
		}
	}
}

func TestNewEchoesOnlyARealHost(t *testing.T) {
	s := startService(t, Options{})
	for host, ok := range map[string]bool{
		"discovery.example.org": true, "d:8087": true, "127.0.0.1:1": true, "[::1]:8087": true, "[::1]": true,
		"my_svc": true, "example.org.:80": true,
		"a b": false, "evil/../x": false, "a@b": false, "<script>": false, "h:0": false, "h:99999": false, "h:": false,
		"[::1%25lo]:80": false, "[x]:80": false, "a..b": false, "h:80:80": false, "h?x": false, "h#x": false,
		strings.Repeat("a", 64): false, strings.Repeat("a.", 130) + "a": false, "": false,
	} {
		r := httptest.NewRequest("GET", "/new", nil)
		r.Host = host
		w := httptest.NewRecorder()
		s.srv.ServeHTTP(w, r) // a client of net/http would not send some of them
		re := reply{w.Code, w.Header(), w.Body.String()}
		if got := re.status == 200; got != ok {
			t.Errorf("host %q: %d %q", host, re.status, re.body)
		}
		if ok && !strings.HasPrefix(re.body, "http://"+host+"/") {
			t.Errorf("host %q: %q", host, re.body)
		}
	}
}

func TestBaseURLStandsBeforeTheToken(t *testing.T) {
	for public, want := range map[string]string{
		"https://d.example.org":         "https://d.example.org/",
		"https://d.example.org:8/base/": "https://d.example.org:8/base/",
	} {
		s := startService(t, Options{BaseURL: public})
		if re := s.do("GET", "/new", nil); !strings.HasPrefix(re.body, want) || len(re.body) != len(want)+32 {
			t.Errorf("%s: %q", public, re.body)
		}
	}
	for _, public := range []string{"d.example.org", "ftp://d", "http://", "http://d?x=1", "http://d#x", "http://u:p@d", "http://d/%zz", "http://d:0"} {
		if _, err := New(nil, Options{BaseURL: public}); err == nil {
			t.Errorf("%s: accepted", public)
		}
	}
}
