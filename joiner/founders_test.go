package joiner

import (
	"strings"
	"testing"
)

// What somebody registered is told without a password that is in it.
func TestPeerHidesPasswords(t *testing.T) {
	for value, says := range map[string]string{
		"n1http://u:s3c/ret@h:1":               `"xxxxx@h:1" is not name=url`,
		"n1=http://u:s3cret@h:1":               `"xxxxx@h:1": want scheme://host:port and nothing behind it`,
		"n1=http://u:s3cret@h:1,n2=http://h:2": `"xxxxx@h:1,n2=http://h:2" has two names`,
	} {
		if _, err := (Entry{Value: value}).Peer(); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3c") {
			t.Errorf("%s: got %v, want %s", value, err, says)
		}
	}
}

// A space at the end of a token is seen where it is told that nobody knows it.
func TestUnknownTokenIsQuoted(t *testing.T) {
	o := Observation{Disk: Disk{State: DiskFresh}, Discovery: Discovery{Kind: KindV2, Token: "http://h/t ", Missing: true}}
	if plan := Decide(Policy{}, o); plan.Reason != DiscoveryMissing || !strings.HasSuffix(plan.Text, ` does not know "http://h/t "`) {
		t.Errorf("got %+v", plan)
	}
}
