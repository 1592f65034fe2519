package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sttts/elastic-etcd/e2e/cluster"
	"github.com/sttts/elastic-etcd/e2e/etcds"
	"github.com/sttts/elastic-etcd/etcdapi"
)

// passwordFile writes a password as an admin does.
func passwordFile(t *testing.T, u cluster.User) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), u.Name)
	writePassword(t, path, u.Password)
	return path
}

func writePassword(t *testing.T, path, password string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func as(t *testing.T, u cluster.User) []string {
	t.Helper()
	return []string{"-user=" + u.Name, "-password-file=" + passwordFile(t, u)}
}

// refused wants a refusal for good and at once, that no run shows a password
// in, and nothing changed.
func (s *site) refused(admin, h *cluster.Host, reason string, more ...string) {
	s.Helper()
	s.unchanged(admin, func() {
		s.Helper()
		r := s.elastic(h, more...)
		s.want(r, 78, reason)
		if strings.Contains(r.Stderr, "step=wait") || strings.Contains(r.Stderr, "step=watch") {
			s.Errorf("it waited to say no: %s", r)
		}
		s.wantNoPassword(r)
	})
}

func (s *site) wantNoPassword(r cluster.Result) {
	s.Helper()
	for _, u := range []cluster.User{cluster.Root, cluster.Reader} {
		if strings.Contains(r.Stdout+r.Stderr, u.Password) {
			s.Errorf("the password of %s is in its output: %s", u.Name, r)
		}
	}
}

// TestAuth: a cluster with auth on takes a host with root's credentials, and
// tells one without them so at once.
func TestAuth(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			hosts[0].EnableAuth()
			fresh := s.lab.Host(version)
			wrong := cluster.User{Name: cluster.Root.Name, Password: cluster.Reader.Password}
			s.refused(hosts[0], fresh, "auth-required", "-cluster-size=4")
			s.refused(hosts[0], fresh, "auth-failed", append(as(t, wrong), "-cluster-size=4")...)
			s.refused(hosts[0], fresh, "auth-failed", append(as(t, cluster.Reader), "-cluster-size=4")...)

			s.boot("join-listed", fresh, append(as(t, cluster.Root), "-cluster-size=4")...)
			s.lab.WaitHealthy(4, append(slices.Clone(hosts), fresh)...)
			s.replaceWithAuth(hosts, fresh, version)
		})
	}
}

// replaceWithAuth lets a member die for good, and one reboot.
func (s *site) replaceWithAuth(hosts []*cluster.Host, fresh *cluster.Host, version string) {
	s.Helper()
	hosts[2].Kill()
	next := s.lab.Host(version)
	s.refused(hosts[0], next, "auth-failed", append(as(s.T, cluster.Reader), "-cluster-size=4")...)
	r := s.lab.ElasticRun(cluster.Command{
		Args: append(next.IdentityFlags(), s.flags(next, "-o=flags", "-user="+cluster.Root.Name, "-cluster-size=4")...),
		Env:  []string{"ELASTIC_ETCD_PASSWORD=" + cluster.Root.Password},
	})
	s.want(r, 0, "join-listed")
	s.wantNoPassword(r)
	next.StartWith(r.Stdout)
	alive := []*cluster.Host{hosts[0], hosts[1], fresh, next}
	s.lab.WaitHealthy(4, alive...)

	hosts[1].Stop()
	s.boot(resume, hosts[1]) // without credentials
	s.lab.WaitHealthy(4, alive...)
}

// TestAuthPrepared: a host that changes nothing needs no user, where etcd tells
// its status without one: 3.5 and later do not.
func TestAuthPrepared(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts, fresh := s.lab.Hosts(3, version), s.lab.Host(version)
			s.found(hosts...)
			hosts[0].Add(fresh.PeerURL())
			hosts[0].EnableAuth()
			if v, err := etcdapi.ParseVersion(version); err != nil || v.Major == 3 && v.Minor >= 5 {
				s.refused(hosts[0], fresh, "auth-required", "-join-strategy=prepare")
				return
			}
			s.boot("join-listed", fresh, "-join-strategy=prepare")
			s.lab.WaitHealthy(4, append(hosts, fresh)...)
		})
	}
}

// TestAuthWithCertificates: a certificate's name is a user's, who needs no
// password; with a user given it is that user.
func TestAuthWithCertificates(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			lab.Secure()
			s := newSiteIn(t, lab, 3)
			hosts := lab.Hosts(3, version)
			s.foundWith(tlsFlags(lab.ClientCerts()), hosts...)
			hosts[0].EnableAuth()
			fresh := lab.Host(version)
			nobody := append(tlsFlags(lab.ClientCerts()), "-cluster-size=4")
			root := append(tlsFlags(lab.Certs("root")), "-cluster-size=5")
			s.refused(hosts[0], fresh, "auth-required", nobody...)
			s.refused(hosts[0], fresh, "auth-failed", append(as(t, cluster.Reader), nobody...)...)
			s.boot("join-listed", fresh, append(as(t, cluster.Root), nobody...)...)
			hosts = append(hosts, fresh)
			lab.WaitHealthy(4, hosts...)

			next := lab.Host(version)
			if strings.HasPrefix(version, "2.") { // it has no users by certificate
				s.refused(hosts[0], next, "auth-required", root...)
				return
			}
			s.boot("join-listed", next, root...)
			lab.WaitHealthy(5, append(hosts, next)...)
		})
	}
}

func tlsFlags(c cluster.Certs) []string {
	return []string{"-cacert=" + c.CA, "-cert=" + c.Cert, "-key=" + c.Key}
}

// TestUserWithoutAuth: a user that the cluster does not ask for is no error.
func TestUserWithoutAuth(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			fresh := s.lab.Host(version)
			s.boot("join-listed", fresh, append(as(t, cluster.Root), "-cluster-size=4")...)
			s.lab.WaitHealthy(4, append(hosts, fresh)...)
		})
	}
}

// TestTokenEnds: a token that etcd takes no more is replaced in the middle of
// a run.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.4", "3.5", "3.6", "3.7"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			hosts := lab.Hosts(1, version)
			lab.Found(hosts...)
			hosts[0].EnableAuth()
			api, err := etcdapi.New(etcdapi.Config{
				Endpoints: []string{hosts[0].ClientURL()},
				As:        etcdapi.Credentials{User: cluster.Root.Name, Password: cluster.Root.Password},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer api.Close()
			for range 3 {
				sight := api.Look(context.Background(), etcdapi.Where{})
				if len(sight.Clusters) != 1 || sight.Clusters[0].Barred != nil || sight.Clusters[0].NoIntent != "" {
					t.Fatalf("%+v", sight)
				}
				hosts[0].ReenableAuth()
			}
		})
	}
}

// TestPasswordRotates: the password is changed in the cluster and in its file
// while a standby host waits for its place, in either order.
func TestPasswordRotates(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			for _, first := range []string{"etcd", "file"} {
				t.Run(first, func(t *testing.T) { rotates(t, version, first == "file") })
			}
		})
	}
}

func rotates(t *testing.T, version string, fileFirst bool) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, version)
	s.found(hosts...)
	hosts[0].EnableAuth()
	file := passwordFile(t, cluster.Root)
	run := s.command("apply", s.lab.Host(version), "--root="+t.TempDir(), "--standby", "-user=root", "-password-file="+file)
	s.lab.WaitFor("the standby", logged(run, "reason=full "))
	if fileFirst {
		writePassword(t, file, "new")
	}
	hosts[0].ChangePassword("new")
	if !fileFirst {
		s.lab.WaitFor("a wrong password", logged(run, "password"))
		writePassword(t, file, "new")
	}
	hosts[2].Kill()
	r := run.Wait()
	tokens := !strings.HasPrefix(version, "2.") // without one each request has the password, also before it is right
	if r.Code != 0 || fileFirst && tokens && strings.Contains(r.Stderr, "password") {
		t.Errorf("the standby: %s", r)
	}
}

// TestPasswordWasNeverRight: a standby host is told so at once all the same.
func TestPasswordWasNeverRight(t *testing.T) {
	s := newSite(t, 3)
	hosts := s.lab.Hosts(3, "3.6")
	s.found(hosts...)
	hosts[0].EnableAuth()
	wrong := cluster.User{Name: cluster.Root.Name, Password: "a guess"}
	run := s.command("apply", s.lab.Host("3.6"), append(as(t, wrong), "--root="+t.TempDir(), "--standby")...)
	s.want(run.Wait(), 78, "auth-failed")
}

// TestOnlyPeerPorts: where auth is on and most members show this host only
// their peer port, one that can be asked is enough.
func TestOnlyPeerPorts(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.lab.Found(hosts...)
			seen := s.lab.WaitLeader(hosts...)
			if minor := etcds.Minor(version); minor != "2.3" && minor != "3.4" {
				seen = without(hosts, seen)[0] // from 3.5 on the peer ports tell enough
			}
			for _, h := range without(hosts, seen) {
				h.Stop()
				h.Start(append(h.IdentityFlags(), "--advertise-client-urls="+s.lab.DeadURL())...)
				s.lab.WaitHealthy(3, hosts...)
			}
			hosts[0].EnableAuth()
			fresh := s.lab.Host(version)
			s.boot("join-listed", fresh, append(as(t, cluster.Root), "-cluster-size=4", "-discovery=", "-endpoints="+seen.ClientURL())...)
			s.lab.WaitHealthy(4, append(hosts, fresh)...)
		})
	}
}

// TestTLSFailures: a TLS failure is said at once and for good, and nobody is
// dead for it; a host with its data comes back all the same.
func TestTLSFailures(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab := cluster.New(t)
			lab.Secure()
			s := newSiteIn(t, lab, 3)
			hosts := lab.Hosts(3, version)
			good, foreign := lab.ClientCerts(), lab.ForeignCerts("client")
			s.foundWith(tlsFlags(good), hosts...)
			fresh := lab.Host(version)
			for name, files := range map[string][]string{
				"no files":              {},
				"unknown CA":            {"-cacert=" + foreign.CA, "-cert=" + good.Cert, "-key=" + good.Key},
				"no client certificate": {"-cacert=" + good.CA},
				"foreign certificate":   {"-cacert=" + good.CA, "-cert=" + foreign.Cert, "-key=" + foreign.Key},
				"right for peers only": {"-cacert=" + foreign.CA,
					"-peer-trusted-ca-file=" + good.CA, "-peer-cert-file=" + good.Cert, "-peer-key-file=" + good.Key},
			} {
				s.Logf("%s", name)
				s.refused(hosts[0], fresh, "tls-failed", append(files, "-cluster-size=4")...)
			}
			hosts[1].Stop()
			s.boot("resume-unconfirmed", hosts[1], "-cacert="+foreign.CA)
			lab.WaitHealthy(3, hosts...)
		})
	}
}

// TestAuthWithoutQuorum: nobody can log in without a quorum, and that says
// nothing of the password.
func TestAuthWithoutQuorum(t *testing.T) {
	t.Parallel()
	for _, version := range etcds.Versions() {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, 3)
			hosts := s.lab.Hosts(3, version)
			s.found(hosts...)
			hosts[0].EnableAuth()
			hosts[1].Kill()
			hosts[2].Kill()
			s.wantWait(s.start(s.lab.Host(version), as(t, cluster.Root)...), "no-quorum")
			s.boot("resume-unconfirmed", hosts[1], as(t, cluster.Root)...)
			s.lab.WaitHealthy(3, hosts[:2]...)
		})
	}
}
