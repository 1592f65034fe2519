package generator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A line that is wrong is quoted in the log; a password in it is not.
func TestNoSecretInErrors(t *testing.T) {
	for _, line := range []string{
		`ELASTIC_ETCD_PASSWORD="hidden`,
		`ELASTIC_ETCD_PASSWORD = hidden`,
		`elastic_etcd_password=hidden`,
		`ELASTIC_ETCD_USER='root:hidden`,
		"ELASTIC_ETCD_PASSWORD=hidden\xff",
		`ELASTIC_ETCD_PASSWORD=hidden\`,
	} {
		root := t.TempDir()
		file := filepath.Join(root, "etc/elastic-etcd", ConfigName)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadConfig(root); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
