package joiner

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// withData decides for a host whose data dir has a WAL of member M in
// cluster C.
func withData(p Policy, o Observation) Plan {
	c, found := o.cluster(o.Disk.ClusterID)
	if !found {
		return withDataAlone(p, o)
	}
	m, listed := c.member(o.Disk.MemberID)
	if !listed {
		return removed(p, o, c)
	}
	if plan, blocked := (joining{p, o, c}).mayResume(); blocked {
		return plan
	}
	if !sameURLs(m.PeerURLs, p.PeerURLs) {
		return moved(p, o, c, m)
	}
	return resume(p, o, ResumeMember,
		fmt.Sprintf("this host is member %s of cluster %s and has its data", m.ID, c.ID))
}

// withDataAlone is for data whose cluster has no quorum that could be asked:
// etcd resumes by itself, unless it is clear that the data belongs elsewhere.
func withDataAlone(p Policy, o Observation) Plan {
	if o.answers(o.Disk.ClusterID) && o.Elapsed < resumeGrace && !o.locked() {
		return watch(fmt.Sprintf("members of cluster %s answer without a quorum: is that only an election?", o.Disk.ClusterID))
	}
	i := slices.IndexFunc(o.Clusters, func(c Cluster) bool { return o.isOurs(c, p) })
	if i < 0 || o.knows(o.Disk.ClusterID) {
		if plan, blocked := o.seenOlder(); blocked {
			return plan
		}
		return resume(p, o, ResumeUnconfirmed,
			fmt.Sprintf("this host has data of cluster %s, of which no quorum answers%s", o.Disk.ClusterID, o.others()))
	}
	c := o.Clusters[i]
	return refuse(DataForeign,
		fmt.Sprintf("the data dir %q belongs to cluster %s, but %s answers as cluster %s", p.DataDir, o.Disk.ClusterID, c.From, c.ID),
		fmt.Sprintf("give the data dir of cluster %s, or the addresses of the members of cluster %s; if this host is to leave that one for good, move the directory away", c.ID, o.Disk.ClusterID))
}

// seenOlder is mayResume where single members answer, and no quorum.
func (o Observation) seenOlder() (plan Plan, blocked bool) {
	for _, v := range o.Views {
		if plan, blocked := o.spares(v.ClusterID, v.Members); blocked && v.ClusterID == o.Disk.ClusterID {
			return plan, true
		}
	}
	return Plan{}, false
}

// others quotes a cluster that answers, and may be somebody else's.
func (o Observation) others() string {
	if len(o.Clusters) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s answers as cluster %s)", o.Clusters[0].From, o.Clusters[0].ID)
}

// resumeGrace is how long a cluster that answers gets to have a quorum before
// its member resumes without its word: etcd elects a leader within two or
// three seconds.
const resumeGrace = Duration(4 * time.Second)

// answers tells whether a member of a cluster answers.
func (o Observation) answers(id ID) bool {
	return slices.ContainsFunc(o.Views, func(v View) bool { return v.ClusterID == id })
}

// knows tells whether anything besides the disk speaks for a cluster: a
// member that answers, or the founders' list of our discovery token.
func (o Observation) knows(id ID) bool {
	f, err := founders(o.Discovery)
	return o.answers(id) || err == nil && f.complete() && f.clusterID() == id
}

func removed(p Policy, o Observation, c Cluster) Plan {
	text := fmt.Sprintf("cluster %s has removed member %s, whose data is in %q", c.ID, o.Disk.MemberID, p.DataDir)
	if p.KeepStale || p.Strategy == Prepare {
		return refuse(DataStale, text, "move the directory away; this host then joins as a new member")
	}
	if o.Disk.NoArchive != "" {
		return refuse(DataUnarchivable, fmt.Sprintf("%s, and cannot be put aside: %s", text, o.Disk.NoArchive),
			"move older archives (*.removed-*), other files or the data itself elsewhere; this host then joins as a new member")
	}
	return Plan{Step: StepArchive, Reason: DataRemoved, Cluster: c.ID,
		Text: text + ": it is archived, and this host joins as a new member"}
}

// moved is for a host that came back with its data under another address,
// unless its disk was copied and the member still runs elsewhere.
func moved(p Policy, o Observation, c Cluster, m Member) Plan {
	text := fmt.Sprintf("cluster %s knows member %s, whose data is in %q, at %q, not at %q", c.ID, m.ID, p.DataDir, m.PeerURLs, p.PeerURLs)
	switch verdict(p, c, m) {
	case alive:
		return refuse(DataElsewhere, text+", and it runs there",
			"never run one data dir on two hosts: move this copy away so that this host joins as a new member")
	case starting:
		return c.inFlightPlan()
	case dead:
		if plan, held := movedOnto(p, c, m, text); held {
			return plan
		}
		if p.Strategy == Prepare {
			return refuse(NotPrepared, fmt.Sprintf("%s, and strategy %q changes nothing", text, Prepare),
				fmt.Sprintf("run: etcdctl member update %s --peer-urls=%s", m.ID, strings.Join(p.PeerURLs, ",")))
		}
		if plan, blocked := (joining{p, o, c}).mayMove(); blocked {
			return plan
		}
		if plan, blocked := c.turn(p, Intent{Purpose: ToRepair}); blocked {
			return plan
		}
		return Plan{Step: StepUpdate, Reason: DataMoved, Cluster: c.ID, Seen: c.ids(), Intent: c.under(p), Member: &m, Text: text + ": its peer URLs are updated"}
	case unknowable:
		return noEvidence(c, m)
	}
	return watch(text + ": is it still running there?")
}

// movedOnto is for a disk that came to a host which is a member already, by its
// peer URLs: etcd does not give them to two.
func movedOnto(p Policy, c Cluster, m Member, text string) (Plan, bool) {
	i := slices.IndexFunc(c.Members, func(other Member) bool { return other.ID != m.ID && overlap(other.PeerURLs, p.PeerURLs) })
	if i < 0 {
		return Plan{}, false
	}
	other := c.Members[i]
	return refuse(URLsHeld, fmt.Sprintf("%s, but that is where member %s is", text, describe(other)),
		fmt.Sprintf("give the data dir of member %s, or this host other peer URLs; if that member is lost for good, run: etcdctl member remove %s", other.ID, other.ID)), true
}

// resume tells etcd who it is and nothing else: with a WAL, etcd ignores
// every other initial setting.
func resume(p Policy, o Observation, r Reason, text string) Plan {
	plan := Plan{Step: StepEmit, Reason: r, Text: text, Config: &EtcdConfig{
		Name: p.Name, DataDir: p.DataDir, WALDir: p.WALDir,
		InitialAdvertisePeerURLs: p.PeerURLs, InitialClusterState: StateExisting,
	}}
	if r == ResumeMember {
		plan.Entry = announcement(p, o)
	}
	return plan
}
