package cli

import (
	"maps"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/joiner"
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
		{name: "v3", flags: texts{"discovery-token": "t", "discovery-endpoints": "http://h:1"}, founding: "-discovery-token", token: "t"},
		{name: "v3 beside v2", flags: texts{"discovery-token": "t", "discovery-endpoints": "http://h:1", "discovery": "http://h/t"}, says: "-discovery and -discovery-token would both found"},
		{name: "v3 without endpoints", flags: texts{"discovery-token": "t"}, says: "needs -discovery-endpoints"},
		{name: "v3 without a token", flags: texts{"discovery-endpoints": "h:1"}, says: "needs -discovery-token"},
		{name: "v3, a user", flags: texts{"discovery-token": "t", "discovery-endpoints": "h:1", "discovery-user": "u:p"}, founding: "-discovery-token", token: "t"},
		{name: "v3, a user without password", flags: texts{"discovery-token": "t", "discovery-endpoints": "h:1", "discovery-user": "u"}, says: "come together"},
		{name: "v3, a password without user", flags: texts{"discovery-token": "t", "discovery-endpoints": "h:1", "discovery-password": "p"}, says: "come together"},
		{name: "v3, two passwords", flags: texts{"discovery-token": "t", "discovery-endpoints": "h:1", "discovery-user": "u:p", "discovery-password": "q"}, says: "given twice"},
		{name: "SRV", flags: texts{"discovery-srv": "example.com"}, hints: 1},
		{name: "SRV, new", flags: texts{"discovery-srv": "example.com", "initial-cluster-state": "new"}, founding: "-discovery-srv", token: defaultClusterToken, hints: 1},
		{name: "SRV and static, new", flags: texts{"discovery-srv": "example.com", "initial-cluster": list, "initial-cluster-state": "new"}, says: "-discovery-srv and -initial-cluster would both found"},
		{name: "no domain", flags: texts{"discovery-srv": "a b"}, says: "-discovery-srv: "},
		{name: "command", flags: texts{"discovery-command": "discover addrs"}, hints: 1},
		{name: "a pipe", flags: texts{"discovery-command": "discover | head"}, says: "no shell"},
		{name: "all hints beside v2", flags: texts{"discovery": "http://h/t", "discovery-srv": "example.com", "initial-cluster": list, "discovery-command": "x"}, founding: "-discovery", token: "http://h/t", hints: 3},
		{name: "new with nobody", flags: texts{"initial-cluster-state": "new"}, says: "give -initial-cluster"},
		{name: "neither new nor existing", flags: texts{"initial-cluster-state": "old"}, says: "not new or existing"},
		{name: "no token", flags: texts{"initial-cluster": list, "initial-cluster-token": ""}, says: "-initial-cluster-token"},
		{name: "no list", flags: texts{"initial-cluster": "n1"}, says: "-initial-cluster: "},
	} {
		flags := texts{}
		for _, some := range []texts{base, c.flags} {
			maps.Copy(flags, some)
		}
		got, err := readSources(flags, settings{policy: joiner.Policy{Name: "n1", PeerURLs: []string{"http://10.0.0.1:2380"}}})
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

// What a hint says, and that another one fails, is seen and shown.
func TestHintsAreShown(t *testing.T) {
	code, stdout, stderr := elastic(t, nil, "plan", "-o=json", "-name=a", "-data-dir="+t.TempDir(), "-initial-advertise-peer-urls=http://127.0.0.1:1",
		"-etcd-version=3.6.0", "-initial-cluster=b=http://127.0.0.1:3", "-discovery-command=false", "-client-port=5")
	if code != 75 || !strings.Contains(stdout, "http://127.0.0.1:3") || !strings.Contains(stdout, "unreachable") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	if want := `warning -discovery-command: "false": exit status 1`; strings.Count(stderr, want) != 1 || !strings.Contains(stdout, "exit status 1") {
		t.Errorf("want %s once: %s%s", want, stderr, stdout)
	}
}
