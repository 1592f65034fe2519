package joiner

import (
	"fmt"
	"slices"
)

// Barred says why this host may look at a cluster, but not change it.
type Barred struct {
	Reason Reason `json:"reason"` // AuthRequired or AuthFailed
	Text   string `json:"text"`
}

// barred makes a refusal of a wait for servers, where one that lives does not
// let this host in: that does not mend by waiting. What does is a date, and the
// password of a standby host, which waits longer than passwords last.
func barred(p Policy, o Observation, plan Plan) Plan {
	if !slices.Contains([]Reason{ClusterUnreachable, ClusterNoQuorum, FounderLostDisk, DiscoveryDown}, plan.Reason) {
		return plan
	}
	f, found := o.bar()
	switch text := fmt.Sprintf("%s: %s", f.URL, f.Error); {
	case !found:
		return plan
	case f.Dated:
		return wait(f.Bar, text, "renew the certificate that is out of date, or set the clock of this host or of that one")
	case f.Rotates && p.Standby:
		return wait(f.Bar, text, "put the new password into -password-file, which is read again")
	default:
		return refuse(f.Bar, text, barHint(f.Bar))
	}
}

// bar is the failure that stands between this host and a server that lives. A
// TLS failure counts only where nobody else can be asked for the quorum's
// word.
func (o Observation) bar() (Failure, bool) {
	for _, kind := range []Failure{{Bar: AuthFailed, Rotates: true}, {Bar: AuthFailed}, {Bar: AuthRequired}, {Bar: TLSFailed}, {Bar: TLSFailed, Dated: true}} {
		i := slices.IndexFunc(o.Failures, func(f Failure) bool { return f.like(kind) && o.bars(f) })
		if i >= 0 && (kind.Bar != TLSFailed || !o.asked()) {
			return o.Failures[i], true
		}
	}
	return Failure{}, false
}

func (f Failure) like(kind Failure) bool {
	return f.Bar == kind.Bar && f.Dated == kind.Dated && f.Rotates == kind.Rotates
}

// Barring is the failure that stands between this host and a server of its
// cluster that lives, and does not mend by waiting, and what to do about it.
func (o Observation) Barring() (f Failure, hint string, found bool) {
	f, found = o.bar()
	return f, barHint(f.Bar), found && !f.Dated
}

// bars tells whether an address is of this host's cluster. A registration
// outlives its host, and may lead to somebody else's etcd by now: of those it
// takes a quorum of the founders'.
func (o Observation) bars(f Failure) bool {
	ours := func(id ID) bool { return id == o.Disk.ClusterID || o.Discovery.Founded(id) }
	return f.Named || !o.Discovery.registers() || slices.ContainsFunc(f.Of, ours) || o.foundersBar()
}

func (o Observation) foundersBar() bool {
	n := 0
	for _, e := range o.Discovery.Entries[:min(len(o.Discovery.Entries), max(o.Discovery.Size, 0))] {
		p, err := e.Peer()
		if err == nil && slices.ContainsFunc(o.Failures, func(f Failure) bool { return f.Bar != "" && overlap(p.URLs, []string{f.URL, f.For}) }) {
			n++
		}
	}
	return n >= quorum(o.Discovery.Size)
}

// locked tells whether a cluster wants other credentials: nothing else that it
// does will be seen.
func (o Observation) locked() bool {
	f, found := o.bar()
	return found && f.Bar != TLSFailed
}

// asked tells whether a member was asked for the quorum's word and had none:
// it gave its own list, and said so.
func (o Observation) asked() bool {
	return slices.ContainsFunc(o.Failures, func(f Failure) bool {
		return slices.ContainsFunc(o.Views, func(v View) bool { return v.From == f.URL })
	})
}

func barHint(r Reason) string {
	switch r {
	case AuthRequired:
		return "give a user with the role root: -user=NAME and -password-file=FILE (or ELASTIC_ETCD_PASSWORD), or a certificate of that name (-cert, -key)"
	case AuthFailed:
		return "check -user and its password, and that it has the role root: etcdctl user get NAME, etcdctl user grant-role NAME root"
	}
	return "check -cacert, -cert and -key for client URLs, -peer-trusted-ca-file, -peer-cert-file and -peer-key-file for peer URLs, and this host's clock"
}

// admitted stands before every change of the membership: where the cluster
// would refuse it anyway, nothing is begun.
func (j joining) admitted() (plan Plan, blocked bool) {
	b := j.c.Barred
	if b == nil {
		return Plan{}, false
	}
	return refuse(b.Reason, fmt.Sprintf("cluster %s would not let this host change its membership: %s", j.c.ID, b.Text), barHint(b.Reason)), true
}
