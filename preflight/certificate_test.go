package preflight

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// authority signs certificates into a folder.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T, name string, parent *authority) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(1, 0, 0),
	}
	by, byKey := template, a.key
	if parent != nil {
		by, byKey = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, &a.key.PublicKey, byKey)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.file = a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue makes a peer's certificate for 10.0.0.4 and n4.example.
func (a *authority) issue(change ...func(*x509.Certificate)) Files {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		DNSNames: []string{"n4.example"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 4)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, f := range change {
		f(template)
	}
	key := newKey(a.t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	name := "peer" + string(rune('a'+len(a.files())))
	return Files{CA: a.file, Cert: a.write(name+".pem", "CERTIFICATE", der), Key: a.write(name+"-key.pem", "PRIVATE KEY", keyDER)}
}

func (a *authority) files() []string {
	files, _ := filepath.Glob(filepath.Join(a.dir, "*"))
	return files
}

func usages(list ...x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = list }
}

func text(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCertificate(t *testing.T) {
	ca, other := newAuthority(t, "peers", nil), newAuthority(t, "others", nil)
	between := newAuthority(t, "between", ca)
	good, second := ca.issue(), ca.issue()
	garbage := text(t, filepath.Join(t.TempDir(), "garbage.pem"), "garbage")
	ours := "https://10.0.0.4:2380"
	for _, c := range []struct {
		name  string
		files Files
		urls  string
		file  string // that the only fault names; "" = none
		says  string
	}{
		{"good", good, ours, "", ""},
		{"good by name", good, "https://n4.example:2380", "", ""},
		{"nothing is known", Files{}, ours, "", ""},
		{"plain http", Files{Cert: "/missing", Key: "/missing"}, "http://10.0.0.4:2380", "", ""},
		{"no CA is known", Files{Cert: good.Cert, Key: good.Key}, ours, "", ""},
		{"only the CA is known", Files{CA: ca.file}, ours, "", ""},
		{"no limits of use", ca.issue(usages()), ours, "", ""},
		{"any use", ca.issue(usages(x509.ExtKeyUsageAny)), ours, "", ""},

		{"no such file", Files{ca.file, "/missing/peer.pem", good.Key}, ours, "/missing/peer.pem", "no such file"},
		{"no such key", Files{ca.file, good.Cert, "/missing/key.pem"}, ours, "/missing/key.pem", "no such file"},
		{"no such CA", Files{"/missing/ca.pem", good.Cert, good.Key}, ours, "/missing/ca.pem", "no such file"},
		{"a directory", Files{ca.file, "/", good.Key}, ours, "/", "directory"},
		{"without end", Files{ca.file, "/dev/zero", good.Key}, ours, "/dev/zero", "longer"},
		{"garbage", Files{ca.file, garbage, good.Key}, ours, garbage, "no PEM certificate"},
		{"garbage as a CA", Files{garbage, good.Cert, good.Key}, ours, garbage, "no PEM certificate"},
		{"garbage as a key", Files{ca.file, good.Cert, garbage}, ours, garbage, "key"},
		{"without a key", Files{ca.file, good.Cert, ""}, ours, good.Cert, "without a key"},
		{"without a certificate", Files{ca.file, "", good.Key}, ours, good.Key, "without a certificate"},
		{"another one's key", Files{ca.file, good.Cert, second.Key}, ours, second.Key, "does not match"},
		{"another address", good, "https://10.0.0.5:2380", good.Cert, "10.0.0.5"},
		{"another name", good, "https://n5.example:2380", good.Cert, "n5.example"},
		{"one of two addresses", good, ours + " https://10.0.0.5:2380", good.Cert, "10.0.0.5"},
		{"one of two is plain", good, ours + " http://10.0.0.5:2380", "", ""},
		{"another CA", Files{other.file, good.Cert, good.Key}, ours, good.Cert, "peer CA"},
		{"without what is between", with(between.issue(), ca.file), ours, "", "peer CA"},
	} {
		faults := Certificate(c.files, strings.Fields(c.urls), noon)
		if c.file == "" && c.says != "" {
			c.file = c.files.Cert
		}
		want := 0
		if c.file != "" {
			want = 1
		}
		if len(faults) != want || want == 1 && (faults[0].What != c.file || !strings.Contains(faults[0].Wrong, c.says)) {
			t.Errorf("%s: %v, want %d with %s and %q", c.name, faults, want, c.file, c.says)
		}
	}
}

func with(f Files, ca string) Files {
	f.CA = ca
	return f
}

func TestCertificateUsage(t *testing.T) {
	ca := newAuthority(t, "peers", nil)
	for says, list := range map[string][]x509.ExtKeyUsage{
		"serverAuth": {x509.ExtKeyUsageClientAuth},
		"clientAuth": {x509.ExtKeyUsageServerAuth},
	} {
		faults := Certificate(ca.issue(usages(list...)), []string{"https://10.0.0.4:2380"}, noon)
		if len(faults) != 1 || !strings.Contains(faults[0].Wrong, says) {
			t.Errorf("%v, want %s", faults, says)
		}
	}
}

// The clock is given: the same certificate ages.
func TestCertificateDates(t *testing.T) {
	files := newAuthority(t, "peers", nil).issue()
	for _, c := range []struct {
		now  time.Duration
		says string
	}{
		{-time.Hour - time.Second, "valid from 2026-11-23T11:00:00Z"},
		{-time.Hour, ""},
		{time.Hour, ""},
		{time.Hour + time.Second, "valid until 2026-11-23T13:00:00Z"},
	} {
		faults := Certificate(files, []string{"https://10.0.0.4:2380"}, noon.Add(c.now))
		if (len(faults) == 1) != (c.says != "") || len(faults) == 1 && (!strings.Contains(faults[0].Wrong, c.says) || !faults[0].Dated) {
			t.Errorf("at %s: %v, want %q", c.now, faults, c.says)
		}
	}
}

// A chain that comes with what is between it and the CA is good.
func TestCertificateChain(t *testing.T) {
	ca := newAuthority(t, "peers", nil)
	between := newAuthority(t, "between", ca)
	files := with(between.issue(), ca.file)
	var chain []byte
	for _, file := range []string{files.Cert, between.file} {
		part, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, part...)
	}
	files.Cert = text(t, filepath.Join(t.TempDir(), "chain.pem"), string(chain))
	if faults := Certificate(files, []string{"https://10.0.0.4:2380"}, noon); len(faults) > 0 {
		t.Error(faults)
	}
}
