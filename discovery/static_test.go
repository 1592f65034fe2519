package discovery

import (
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
)

func TestStatic(t *testing.T) {
	s, err := NewStatic("b=http://10.0.0.2:2380, a=http://10.0.0.1:2380,b=http://10.0.0.2:2379", "t")
	if err != nil {
		t.Fatal(err)
	}
	d := s.Look(t.Context())
	want := []joiner.Entry{
		joiner.Registration("b", []string{"http://10.0.0.2:2379", "http://10.0.0.2:2380"}, "t"),
		joiner.Registration("a", []string{"http://10.0.0.1:2380"}, "t"),
	}
	if d.Kind != joiner.KindStatic || d.Size != 2 || d.Token != "t" || !slices.Equal(d.Entries, want) {
		t.Errorf("got %+v, want entries %v", d, want)
	}
	h := s.Hint(t.Context())
	if urls := []string{"http://10.0.0.2:2379", "http://10.0.0.2:2380", "http://10.0.0.1:2380"}; !slices.Equal(h.PeerURLs, urls) || h.Error != "" || h.Source != "-initial-cluster" {
		t.Errorf("got hint %+v", h)
	}
	if err := s.Register(t.Context(), want[0]); err == nil || !strings.Contains(err.Error(), "-initial-cluster") {
		t.Errorf("register: %v", err)
	}
}

func TestStaticRefuses(t *testing.T) {
	many := make([]string, maxListed+1)
	for i := range many {
		many[i] = "n" + strings.Repeat("x", i) + "=http://h" + strings.Repeat("x", i) + ":1"
	}
	for list, says := range map[string]string{
		"":                                      "is not name=url",
		"a":                                     "is not name=url",
		"a=":                                    "is not name=url",
		"=http://h:1":                           "is not name=url",
		"a=http://h:1,":                         "is not name=url",
		"a=ftp://h:1":                           "the scheme must be",
		"a=http://h":                            "want scheme://host:port",
		"a=http://u:s3cret@h:1":                 `peer URL "xxxxx@h:1": want scheme://host:port and nothing behind it`,
		"b=http://h:1,ahttp://u:s3c/ret@h:1":    `"xxxxx@h:1" is not name=url`,
		"ahttp//u:s3cret@h:1":                   `"xxxxx@h:1" is not name=url`,
		"a=http://u:s3c,ret@h:1":                `"xxxxx@h:1" is not name=url`,
		"a=http://h:1,a=http://h:1":             "twice",
		"a=http://h:1,b=http://h:1":             `members "a" and "b" have the same peer URL`,
		strings.Join(many, ","):                 "more than 99",
		"a\x1b[2J=x" + strings.Repeat("y", 999): `member "a\x1b[2J"`,
	} {
		if _, err := NewStatic(list, "t"); err == nil || !strings.Contains(err.Error(), says) || len(err.Error()) > 2000 || strings.Contains(err.Error(), "s3c") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%.40q: got %v, want %s", list, err, says)
		}
	}
}
