package joiner

import "testing"

// What etcd could never be reached at is no peer URL.
func TestPeerURLs(t *testing.T) {
	for raw, want := range map[string]string{
		"http://10.0.0.1:2380":       "http://10.0.0.1:2380",
		"HTTPS://n1.example.com:443": "https://n1.example.com:443",
		"http://[::1]:65535":         "http://[::1]:65535",
		"http://10.0.0.1":            "",
		"http://10.0.0.1:":           "",
		"http://10.0.0.1:0":          "",
		"http://10.0.0.1:99999":      "",
		"http://10.0.0.1:http":       "",
		"http://:2380":               "",
		"unix://10.0.0.1:2380":       "",
		"http://10.0.0.1:2380/x":     "",
	} {
		got, err := PeerURLs([]string{raw})
		if (err == nil) != (want != "") || err == nil && got[0] != want {
			t.Errorf("%s: got %q, %v, want %q", raw, got, err, want)
		}
	}
}
