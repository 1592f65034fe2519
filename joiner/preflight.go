package joiner

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Preflight is what this host found out about itself: whether the members
// could find the way back to it.
type Preflight struct {
	// Unresolved are the host names in our peer URLs that do not resolve.
	Unresolved []Fault `json:"unresolved,omitempty"`
	// Certificate is what is wrong with the peer certificate of our etcd.
	Certificate []Fault `json:"certificate,omitempty"`
}

// Fault is one thing that is wrong.
type Fault struct {
	What  string `json:"what"` // a file or a host name
	Wrong string `json:"wrong"`
	// Dated tells that it is a date alone, which time, a new certificate or the
	// right clock mends.
	Dated bool `json:"dated,omitempty"`
}

func (f Fault) String() string { return f.What + ": " + f.Wrong }

// clearToJoin stands before every change that lets this host in: what would
// harm the members, or only cost them quorum as they cannot call it back, is
// told before anything is begun.
func (j joining) clearToJoin() (plan Plan, blocked bool) {
	return first(j.admitted, j.o.writable, j.o.roomy, j.reachable, j.sameScheme, j.o.certified, j.o.resolved, j.sound, j.listable, j.version)
}

// writable: an etcd that cannot write never comes up.
func (o Observation) writable() (Plan, bool) {
	dir := o.Disk.ReadOnly
	return refuse(DataReadOnly, fmt.Sprintf("%s is on a read-only file system: this host's etcd could not run", dir),
		"remount it, or give another -data-dir"), dir != ""
}

// roomy: an etcd whose disk is full never comes up either, and would be listed
// for nothing.
func (o Observation) roomy() (Plan, bool) {
	return notNow(DataNoSpace, "this host's etcd could not start: "+o.Disk.Short, "make room, or give another -data-dir (-wal-dir)"), o.Disk.Short != ""
}

// mayMove stands before the peer URLs of a member of ours are updated: that
// is also how a cluster changes over from http to https.
func (j joining) mayMove() (plan Plan, blocked bool) {
	return first(j.admitted, j.reachable, j.o.certified, j.o.resolved)
}

// reachable: others cannot reach this host at its loopback. A cluster that is
// all on one host can.
func (j joining) reachable() (Plan, bool) { return reachable(j.p, j.others()) }

func reachable(p Policy, others []string) (Plan, bool) {
	own, bad := find(p.PeerURLs, local)
	far, spread := find(others, func(u *url.URL) bool { return !local(u) })
	if !bad || !spread {
		return Plan{}, false
	}
	return refuse(AdvertiseLoopback, fmt.Sprintf("this host would advertise %s, where only itself is, and %s is at another host", own, far),
		"give the address that the other members reach this host at: -initial-advertise-peer-urls=http://ADDRESS:2380"), true
}

// sameScheme: members that all speak one scheme to each other are set up for
// that. In a cluster that is mixed already, somebody changes over.
func (j joining) sameScheme() (Plan, bool) { return sameScheme(j.p, j.others()) }

func sameScheme(p Policy, others []string) (Plan, bool) {
	if len(others) == 0 {
		return Plan{}, false
	}
	for _, scheme := range []string{"http", "https"} {
		own, mine := find(p.PeerURLs, func(u *url.URL) bool { return u.Scheme != scheme })
		_, mixed := find(others, func(u *url.URL) bool { return u.Scheme != scheme })
		if mine && !mixed {
			return refuse(AdvertiseScheme, fmt.Sprintf("this host would advertise %s, and every other member is at %s", own, scheme),
				fmt.Sprintf("give -initial-advertise-peer-urls with %s, and etcd the listen URL and the certificates to match", scheme)), true
		}
	}
	return Plan{}, false
}

// registrable stands before the registration of a founder: a place that is
// taken stays taken, also one that nobody can reach.
func (f founding) registrable() (plan Plan, blocked bool) {
	var others []string
	for _, p := range f.list.peers {
		others = append(others, p.URLs...)
	}
	return first(f.o.writable, f.o.roomy,
		func() (Plan, bool) { return reachable(f.p, others) },
		func() (Plan, bool) { return sameScheme(f.p, others) },
		f.o.certified, f.o.resolved)
}

// others are the peer URLs of the members that ran and are not this host.
func (j joining) others() []string {
	var urls []string
	for _, m := range j.c.Members {
		if m.Started() && m.ID != j.o.Disk.MemberID && !overlap(m.PeerURLs, j.p.PeerURLs) {
			urls = append(urls, m.PeerURLs...)
		}
	}
	return urls
}

func (o Observation) certified() (Plan, bool) {
	if len(o.Preflight.Certificate) == 0 {
		return Plan{}, false
	}
	text := "the members would not take this host's peer certificate: " + faults(o.Preflight.Certificate)
	if !slices.ContainsFunc(o.Preflight.Certificate, func(f Fault) bool { return !f.Dated }) {
		return notNow(PeerCertificate, text, "renew the certificate, or set this host's clock"), true
	}
	return refuse(PeerCertificate, text,
		"give etcd a certificate of the peer CA with all names of -initial-advertise-peer-urls, for server and client"), true
}

func (o Observation) resolved() (Plan, bool) {
	if len(o.Preflight.Unresolved) == 0 {
		return Plan{}, false
	}
	return notNow(AdvertiseUnresolved, "this host would advertise a name that does not resolve: "+faults(o.Preflight.Unresolved),
		"bring the name into DNS or /etc/hosts, also of the other members, or advertise an address"), true
}

func faults(list []Fault) string {
	texts := make([]string, len(list))
	for i, f := range list {
		texts[i] = f.String()
	}
	return strings.Join(texts, "; ")
}

// Warnings is what people should know of a decision that is not refused for
// it: a host with data always resumes.
func Warnings(p Policy, o Observation) []string {
	var list []string
	if own, bad := find(p.PeerURLs, local); bad {
		list = append(list, fmt.Sprintf("this host advertises %s, which leads every other host to itself", own))
	}
	for _, f := range slices.Concat(o.Preflight.Certificate, o.Preflight.Unresolved) {
		list = append(list, "the other members may not find or trust this host: "+f.String())
	}
	if text, warn := o.ageWarning(p); warn {
		list = append(list, text)
	}
	if d := o.Discovery; d.Error != "" || d.Missing {
		list = append(list, fmt.Sprintf("%s: it may not lead later hosts to this member, and lead them to members that are gone (elastic-etcd discovery gc)", d.failure()))
	}
	if f, found := o.bar(); found && len(o.Clusters) == 0 {
		list = append(list, fmt.Sprintf("the cluster could not be asked (%s): %s: %s", f.Bar, f.URL, f.Error))
	}
	return list
}
