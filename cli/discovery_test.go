package cli

import (
	"os"
	"strings"
	"testing"
)

// TestDiscoveryServeLeavesNothing: what is wrong with a command line is told
// before a file is made.
func TestDiscoveryServeLeavesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	for args, says := range map[string]string{
		"--listen=127.0.0.1:99999":                          "invalid port",
		"--listen=nonsense":                                 "missing port",
		"--listen=127.0.0.1:0 --url=foo":                    "want http(s)://host",
		"--listen=127.0.0.1:0 --cert-file=x":                "needs both",
		"--listen=127.0.0.1:0 --client-cert-auth":           "needs --trusted-ca-file",
		"--listen=127.0.0.1:0 --new-token-file=/no/such":    "no such file",
		"--listen=127.0.0.1:0 --rate=many":                  "--help",
		"--listen=127.0.0.1:0 extra":                        "not a command",
		"--listen=127.0.0.1:0 --data=/no/such/directory/db": "no such file",
	} {
		code, stdout, stderr := elastic(t, nil, append([]string{"discovery", "serve"}, strings.Fields(args)...)...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit code %d, %q, %q; want %q", args, code, stdout, stderr, says)
		}
		if left, _ := os.ReadDir("."); len(left) != 0 {
			t.Errorf("%s: left %v behind", args, left)
		}
	}
}

// TestDiscoveryHelp: the flags of a decision are of no use here.
func TestDiscoveryHelp(t *testing.T) {
	for _, args := range []string{"discovery --help", "discovery -h", "discovery help", "help discovery", "discovery serve --help", "discovery help serve", "discovery new -h"} {
		code, stdout, stderr := elastic(t, nil, strings.Fields(args)...)
		if code != 0 || !strings.Contains(stdout, "USAGE:") || stderr != "" {
			t.Errorf("%s: exit code %d, %q, %q", args, code, stdout, stderr)
		}
		if strings.Contains(stdout, "GLOBAL") || strings.Contains(stdout, "--join-strategy") || !strings.Contains(stdout, "--help") {
			t.Errorf("%s: %s", args, stdout)
		}
		if !strings.Contains(args, "serve") && !strings.Contains(args, "new") && (!strings.Contains(stdout, "COMMANDS:\n   serve  ") || !strings.Contains(stdout, "\n   new    ")) {
			t.Errorf("%s: %s", args, stdout)
		}
	}
}
