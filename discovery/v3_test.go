package discovery

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/sttts/elastic-etcd/joiner"
)

// keyed reads "key=revision=value" entries in the order of their keys, as an
// etcd lists them.
func keyed(entries ...string) []*mvccpb.KeyValue {
	var list []*mvccpb.KeyValue
	for _, e := range entries {
		parts := strings.SplitN(e, "=", 3)
		list = append(list, &mvccpb.KeyValue{Key: []byte("/p" + parts[0]), CreateRevision: int64(parts[1][0]), Value: []byte(parts[2])})
	}
	return list
}

func TestV3Entries(t *testing.T) {
	for name, c := range map[string]struct {
		found []*mvccpb.KeyValue
		want  []joiner.Entry
	}{
		"none":                  {},
		"in order of creation":  {keyed("/1=9=a=u", "/2=3=b=v"), []joiner.Entry{{Key: "2", Value: "b=v"}, {Key: "1", Value: "a=u"}}},
		"without a URL":         {keyed("/1=1=garbage", "/2=2=b=v", "/3=3="), []joiner.Entry{{Key: "2", Value: "b=v"}}},
		"white space":           {keyed("/1=1= a=u\n"), []joiner.Entry{{Key: "1", Value: "a=u"}}},
		"a key twice":           {keyed("/1=9=a=u", "/1 =1=b=v"), []joiner.Entry{{Key: "1", Value: "a=u"}}},
		"beside, and it counts": {keyed("/1=2=a=u", "x/1=1=b=v"), []joiner.Entry{{Key: "/px/1", Value: "b=v"}, {Key: "1", Value: "a=u"}}},
	} {
		if got := v3Entries("/p", c.found); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func v3Config(change func(*V3Config)) V3Config {
	c := V3Config{Token: "t", Endpoints: []string{"http://127.0.0.1:1"}, DialTimeout: time.Second, RequestTimeout: time.Second}
	c.InsecureTransport = true
	change(&c)
	return c
}

func TestNewV3Refuses(t *testing.T) {
	for says, change := range map[string]func(*V3Config){
		"0 bytes are not a token":    func(c *V3Config) { c.Token = "" },
		"2000 bytes are not a token": func(c *V3Config) { c.Token = strings.Repeat("x", 2000) },
		`"../x" is not a plain path`: func(c *V3Config) { c.Token = "../x" },
		`"x/" is not a plain path`:   func(c *V3Config) { c.Token = "x/" },
		`"\x1b" has unprintable`:     func(c *V3Config) { c.Token = "\x1b" },
		"no discovery endpoints":     func(c *V3Config) { c.Endpoints = nil },
		"an empty one":               func(c *V3Config) { c.Endpoints = []string{""} },
		"user or password":           func(c *V3Config) { c.Endpoints = []string{"http://u:hidden@h:1"} },
		"longer than zero":           func(c *V3Config) { c.RequestTimeout = 0 },
		"no such file":               func(c *V3Config) { c.CA = "/no/such/file" },
	} {
		if _, err := NewV3(v3Config(change)); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("got %v, want %s", err, says)
		}
	}
}

// An etcd that is down or says nothing ends a look within its timeouts, with
// the source in the error.
func TestV3Unreachable(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	http1 := serve(t, http.NotFoundHandler())
	for name, c := range map[string]struct {
		change func(*V3Config)
		says   string
	}{
		"no gRPC":        {func(c *V3Config) { c.Endpoints = []string{http1} }, "speaks no gRPC"},
		"refused":        {func(*V3Config) {}, "connection refused"},
		"refused, login": {func(c *V3Config) { c.User, c.Password = "u", "hidden" }, "connection refused"},
		"silent":         {func(c *V3Config) { c.Endpoints = []string{silent.Addr().String()} }, "no complete answer in time"},
		"silent, login": {func(c *V3Config) {
			c.Endpoints, c.User, c.Password = []string{silent.Addr().String()}, "u", "hidden"
		}, "no complete answer in time"},
	} {
		v, err := NewV3(v3Config(c.change))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		d := v.Look(t.Context())
		if !strings.Contains(d.Error, c.says) || !strings.Contains(d.Error, `discovery token "t" at `) || strings.Contains(d.Error, "hidden") || d.Kind != joiner.KindV3 {
			t.Errorf("%s: got %+v, want %s", name, d, c.says)
		}
		if err := v.Register(t.Context(), joiner.Entry{Key: "k", Value: "v"}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: register: %v", name, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
		v.Close()
	}
}
