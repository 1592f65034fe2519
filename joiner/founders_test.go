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
