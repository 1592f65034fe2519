package generator

import "testing"

func TestProgram(t *testing.T) {
	for _, c := range []struct {
		want    string
		command []string
	}{
		{"", nil},
		{"/opt/etcd", []string{"/opt/etcd", "--name=a"}},
		{"/usr/bin/etcd", []string{"/bin/bash", "-c", "GOMAXPROCS=$(nproc) /usr/bin/etcd"}},
		{"/usr/bin/etcd2", []string{"/usr/bin/sh", "-c", " A=1 B=2 exec /usr/bin/etcd2 $ARGS"}},
		{"/bin/sh", []string{"/bin/sh", "-c", "podman run etcd /usr/local/bin/etcd"}},
		{"", []string{"etcd", "--name=a"}},
		{"", []string{"/bin/sh", "-c", "exec etcd --name=a"}},
		{"", []string{"/usr/bin/env", "A=1", "etcd"}},
		{"/opt/etcd", []string{"/usr/bin/env", "/opt/etcd"}},
		{"/bin/sh", []string{"/bin/sh", "-c", "ulimit -n 9999; exec /usr/bin/etcd"}},
		{"/bin/sh", []string{"/bin/sh", "-c", "V=$( /usr/bin/etcd --version ) exec /opt/new/etcd"}},
		{"/bin/sh", []string{"/bin/sh", "-c", "V=$(x /usr/bin/etcd) exec /opt/new/etcd"}},
		{"/bin/sh", []string{"/bin/sh", "-c", "V='a /usr/bin/etcd' exec /opt/new/etcd"}},
		{"/bin/sh", []string{"/bin/sh", "-c", "/usr/bin/etcd --version; exec /opt/new/etcd"}},
		{"/bin/sh", []string{"/bin/sh", "-c", "'/usr/bin/etcd'"}},
		{"/bin/sh", []string{"/bin/sh", "-c", ""}},
		{"/bin/sh", []string{"/bin/sh", "-e", "/usr/bin/etcd"}},
		{"/bin/sh", []string{"/bin/sh", "-c", "/usr/bin/etcd", "/other/etcd"}},
		{"/usr/bin/podman", []string{"/usr/bin/podman", "-c", "/usr/bin/etcd"}},
	} {
		if got := (Unit{Command: c.command}).Program(); got != c.want {
			t.Errorf("%q: got %q, want %q", c.command, got, c.want)
		}
	}
}
