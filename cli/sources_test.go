package cli

import (
	"strings"
	"testing"
)

func TestReadSources(t *testing.T) {
	const list = "n1=http://10.0.0.1:2380,n2=http://10.0.0.2:2380"
	base := texts{"initial-cluster-state": "existing", "initial-cluster-token": defaultClusterToken}
	for _, c := range []struct {
		name     string
		flags    texts
		founding string // the flag
		token    string
		hints    int
		says     string // of the error; "" = none
	}{
		{name: "nothing"},
		{name: "v2", flags: texts{"discovery": "http://h/t"}, founding: "-discovery", token: "http://h/t"},
		{name: "static", flags: texts{"initial-cluster": list}, hints: 1},
		{name: "static, new", flags: texts{"initial-cluster": list, "initial-cluster-state": "new"}, founding: "-initial-cluster", token: defaultClusterToken},
		{name: "static, new, token", flags: texts{"initial-cluster": list, "initial-cluster-state": "new", "initial-cluster-token": "mine"}, founding: "-initial-cluster", token: "mine"},
		{name: "static beside v2", flags: texts{"initial-cluster": list, "discovery": "http://h/t"}, founding: "-discovery", token: "http://h/t", hints: 1},
		{name: "static beside v2, new", flags: texts{"initial-cluster": list, "discovery": "http://h/t", "initial-cluster-state": "new"}, says: "-discovery and -initial-cluster would both found"},
		{name: "new with nobody", flags: texts{"initial-cluster-state": "new"}, says: "give -initial-cluster"},
		{name: "neither new nor existing", flags: texts{"initial-cluster-state": "old"}, says: "not new or existing"},
		{name: "no token", flags: texts{"initial-cluster": list, "initial-cluster-token": ""}, says: "-initial-cluster-token"},
		{name: "no list", flags: texts{"initial-cluster": "n1"}, says: "-initial-cluster: "},
	} {
		flags := texts{}
		for _, some := range []texts{base, c.flags} {
			for name, value := range some {
				flags[name] = value
			}
		}
		got, err := readSources(flags, settings{})
		if err != nil || c.says != "" {
			if err == nil || c.says == "" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: error %v, want %q", c.name, err, c.says)
			}
			continue
		}
		if got.founding.flag != c.founding || got.founding.token != c.token || len(got.hints) != c.hints {
			t.Errorf("%s: got %q, token %q, %d hints", c.name, got.founding.flag, got.founding.token, len(got.hints))
		}
	}
}
