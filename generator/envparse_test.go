package generator

import (
	"encoding/json"
	"maps"
	"os"
	"testing"
)

// TestParseEnvFile goes by the table that the end-to-end tests give to real
// systemds.
func TestParseEnvFile(t *testing.T) {
	b, err := os.ReadFile("testdata/envfile.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, File      string
		Base64          []byte // a file that is not UTF-8
		Want, Before254 map[string]string
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		text := c.File + string(c.Base64)
		if c.Before254 == nil {
			c.Before254 = c.Want
		}
		if got := parseEnvFile(text, false); !maps.Equal(got, c.Want) {
			t.Errorf("%s: read %q, want %q", c.Name, got, c.Want)
		}
		if got := parseEnvFile(text, true); !maps.Equal(got, c.Before254) {
			t.Errorf("%s, before 254: read %q, want %q", c.Name, got, c.Before254)
		}
	}
}
