package joiner

import (
	"fmt"
	"slices"
	"strings"
)

// These are about the members that are there: nobody joins beside such.

// sound: with the alarm CORRUPT etcd serves nobody, and whoever joins gets a
// copy of data that is not the same everywhere.
func (j joining) sound() (plan Plan, blocked bool) {
	who := ""
	for _, m := range j.c.Members {
		if slices.Contains(m.Alarms, "CORRUPT") {
			who = " for member " + describe(m)
		}
	}
	if who == "" && !slices.Contains(j.c.Alarms, "CORRUPT") {
		return Plan{}, false
	}
	return refuse(AlarmCorrupt, fmt.Sprintf("the alarm CORRUPT is raised in cluster %s%s: the members hold different data", j.c.ID, who),
		"find the member that is wrong (etcdctl endpoint hashkv --cluster) and take it out (elastic-etcd leave there), then run: etcdctl alarm disarm"), true
}

// listable: what etcd is told of the members is one list, and an address with a
// comma in it would be two. etcd's own check of a new member lets it through.
func (j joining) listable() (plan Plan, blocked bool) {
	for _, m := range j.c.Members {
		if slices.ContainsFunc(m.PeerURLs, func(u string) bool { return strings.ContainsAny(u, ",\"' \t\r\n") }) {
			return refuse(MemberUnlistable, fmt.Sprintf("member %s has the peer URLs %q, which no list of members can hold", describe(m), m.PeerURLs),
				fmt.Sprintf("give it others: etcdctl member update %s --peer-urls=URL; or remove it", m.ID)), true
		}
	}
	return Plan{}, false
}
