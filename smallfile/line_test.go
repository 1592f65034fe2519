package smallfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for text, want := range map[string]string{"": "", "a": "a", "a b\r\n": "a b", "a\n \n": "a", strings.Repeat("a", maxLine): strings.Repeat("a", maxLine)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Line(path); err != nil || got != want {
			t.Errorf("%.9q: %.9q, %v", text, got, err)
		}
	}
	for _, text := range []string{"a\nhidden\n", strings.Repeat("hidden", maxLine)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Line(path); err == nil || got != "" || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%.9q: %.9q, %v", text, got, err)
		}
	}
}
