package joiner

import "time"

// Observation is all that a decision rests on: what the disk, the discovery
// service and the cluster showed at one moment. It is plain data and
// survives a round trip through JSON, so that every report from the field
// can be replayed as a test.
type Observation struct {
	Disk      Disk      `json:"disk"`
	Discovery Discovery `json:"discovery"`

	// Hints are where the other sources say that members are.
	Hints []Hint `json:"hints,omitempty"`

	// Clusters are the member lists that a quorum vouches for, one for each
	// cluster found. None: no quorum could be asked. More than one: the
	// discovery leads to several clusters.
	Clusters []Cluster `json:"clusters,omitempty"`

	// Views are the member lists that single members gave, quorum or not.
	Views []View `json:"views,omitempty"`

	// Failures are the URLs that were asked and gave no complete answer,
	// for people to read.
	Failures []Failure `json:"failures,omitempty"`

	// Contacts counts the addresses that were asked, Named those of them that
	// the admin named.
	Contacts int `json:"contacts"`
	Named    int `json:"named,omitempty"`

	// Elapsed is for how long this run had been looking.
	Elapsed Duration `json:"elapsed"`

	// EtcdVersion is the version of this host's etcd, zero when unknown.
	EtcdVersion Version `json:"etcd_version"`
	// EtcdMissing tells that it was known earlier in this run, and that no etcd
	// tells it now.
	EtcdMissing bool `json:"etcd_missing,omitempty"`

	// Preflight is what this host found out about its own peer URLs.
	Preflight Preflight `json:"preflight,omitzero"`
}

// DiskState is what the data dir says.
type DiskState string

// The states of a data dir. Fresh means: no *.wal file, whatever else is
// there, since that is what etcd itself goes by.
const (
	DiskFresh   DiskState = "fresh"
	DiskData    DiskState = "data"
	DiskDamaged DiskState = "damaged"
)

// Disk is what the data dir and the WAL dir hold.
type Disk struct {
	State     DiskState `json:"state"`
	MemberID  ID        `json:"member_id,omitempty"`  // DiskData only
	ClusterID ID        `json:"cluster_id,omitempty"` // DiskData only
	Running   bool      `json:"running,omitempty"`    // an etcd holds the lock
	Detail    string    `json:"detail,omitempty"`     // what was found, when damaged
	// ReadOnly is the directory of etcd's that lies on a read-only file
	// system; "" = none.
	ReadOnly string `json:"read_only,omitempty"`
	// Short says where an etcd that starts anew would find too little space; ""
	// = nowhere.
	Short string `json:"short,omitempty"`
	// NoArchive says why the data cannot be archived; "" = it can.
	NoArchive string  `json:"no_archive,omitempty"`
	Record    *Record `json:"record,omitempty"`
}

// Record is the founder record: a file in the data dir that says that this
// host registered as a founder and that its etcd has not run since.
type Record struct {
	Token    string `json:"token"`
	MemberID ID     `json:"member_id"`
	Nonce    string `json:"nonce"`
	// WALMarker tells that a marker lies in the WAL dir too. etcd 3 deletes
	// that directory when it makes its WAL, and the marker with it; an etcd
	// 2.3 would take the marker for a WAL.
	WALMarker bool `json:"wal_marker,omitempty"`
	// Spent is true once a WAL existed, or when the member directory made
	// together with the record is gone. A spent record without a WAL means
	// that this host lost its disk.
	Spent bool `json:"spent"`
}

// Discovery is what the source answered through which a cluster is founded.
type Discovery struct {
	Kind    string  `json:"kind,omitempty"`   // KindV2, ...; "" = none is configured
	Source  string  `json:"source,omitempty"` // for people; "" = the token says it
	Token   string  `json:"token,omitempty"`  // what etcd uses as cluster token: of v2, the URL as given
	Size    int     `json:"size,omitempty"`
	Entries []Entry `json:"entries,omitempty"` // in the order of their creation
	Error   string  `json:"error,omitempty"`   // why nothing is known now; Size and Entries are of an earlier look then
	Missing bool    `json:"missing,omitempty"` // the service says there is no such token
	Invalid string  `json:"invalid,omitempty"` // why what it says is of no use, whatever else is known
	Refuses bool    `json:"refuses,omitempty"` // the error is that it does not let this host in, or is not trusted
}

// Entry is one registration, as it stands in the discovery service: written
// by anybody who knows the token, so not to be trusted.
type Entry struct {
	Key   string `json:"key"`   // the member ID in hex
	Value string `json:"value"` // name=url[,name=url]
}

// Hint is where a source that founds nothing says that members are.
type Hint struct {
	Source     string   `json:"source"` // for people
	PeerURLs   []string `json:"peer_urls,omitempty"`
	ClientURLs []string `json:"client_urls,omitempty"`
	Error      string   `json:"error,omitempty"` // why it says nothing
}

// Cluster is a cluster with a quorum, by its own linearizable word.
type Cluster struct {
	ID      ID       `json:"id"`
	From    string   `json:"from"`               // the endpoint that answered
	Named   bool     `json:"named,omitempty"`    // an address that the admin named led to it, now or before
	NamedAt int      `json:"named_at,omitempty"` // at how many of those it answers now
	API     string   `json:"api"`                // "v3", or "v2" for etcd 2.3
	Version Version  `json:"version"`            // the cluster version, zero when unknown
	Leader  ID       `json:"leader,omitempty"`   // zero when unknown
	Term    uint64   `json:"term,omitempty"`     // raft term
	Members []Member `json:"members"`            // voters and learners, unstarted ones too
	NoProof string   `json:"noproof,omitempty"`  // why the leader's raft progress is not known; "" = it is

	// Downgrading tells that a downgrade is enabled (etcdctl downgrade enable).
	Downgrading bool `json:"downgrading,omitempty"`

	// Intent is the live one, nil = none. NoIntent says why intents cannot
	// be kept in this cluster; "" = they can.
	Intent   *Intent `json:"intent,omitempty"`
	NoIntent string  `json:"no_intent,omitempty"`
	// Begun is the join that was begun last and not seen to end. It outlives
	// its intent; nil = none.
	Begun *Intent `json:"begun,omitempty"`

	// Alarms are those that are raised for nobody on the list: for all, where
	// etcd cannot tell whose data is wrong, or for a member that was removed.
	Alarms []string `json:"alarms,omitempty"`

	// Barred says why this host may not change the membership; nil = it may.
	Barred *Barred `json:"barred,omitempty"`
}

// Member is one member of a cluster and what is known of its health.
type Member struct {
	ID         ID       `json:"id"`
	Name       string   `json:"name,omitempty"`
	PeerURLs   []string `json:"peer_urls"`
	ClientURLs []string `json:"client_urls,omitempty"`
	Learner    bool     `json:"learner,omitempty"`
	Version    Version  `json:"version"` // its server's version, zero when unknown
	// Details are what its server tells of itself, zero when unknown.
	Details Details `json:"details,omitzero"`
	// Alarms are those that are raised for it: NOSPACE, CORRUPT.
	Alarms []string `json:"alarms,omitempty"`
	// AddsWhileDown tells whether its etcd admits a newcomer while another
	// voter is down and a quorum is left: 3.5.30, 3.6.11, 3.7 and later do.
	AddsWhileDown bool   `json:"adds_while_down,omitempty"`
	Health        Health `json:"health"`
}

// Started tells whether the member ever published itself. Founders carry a
// name before they ran, so the name says nothing.
func (m Member) Started() bool { return len(m.ClientURLs) > 0 }

// Health is the evidence about one member, gathered over a whole Run.
type Health struct {
	// Reached is the URL that gave this host a complete answer with the
	// cluster's ID in this observation; "" = none did.
	Reached string `json:"reached,omitempty"`
	// Proven tells that the member itself answered with a quorum behind it in
	// this observation. One that is cut off from the others is reached, and
	// yet takes part in nothing.
	Proven bool `json:"proven,omitempty"`
	// Unclear says why an answer is neither: a TLS failure is not silence.
	Unclear string `json:"unclear,omitempty"`
	// Refused tells that every address of the member refuses connections:
	// its process is gone, and nobody hangs waiting for it.
	Refused bool `json:"refused,omitempty"`
	// Other is an address of the member where another member of the cluster
	// answers, while all its other ones do too, or refuse connections.
	Other string `json:"other,omitempty"`
	// Silent is for how long without a break this host reached none of its
	// URLs.
	Silent Duration `json:"silent,omitempty"`
	// Unstarted is for how long without a break an entry was seen not to start,
	// though somebody may try: no answer, no progress.
	Unstarted Duration `json:"unstarted,omitempty"`
	// Match is the newest log entry that the leader knows it to hold.
	Match uint64 `json:"match,omitempty"`
	// Following is true when Match is at the newest entry.
	Following bool `json:"following,omitempty"`
	// Receiving tells that the leader is sending it a snapshot: Match stands
	// still until it has all of that, or the leader gives up.
	Receiving bool `json:"receiving,omitempty"`
	// Stalled is for how long Match stood still while a quorum's moved on,
	// under the same leader and term, and no snapshot was on its way.
	Stalled Duration `json:"stalled,omitempty"`
}

// View is the member list that one member gave by itself. It may be behind.
type View struct {
	From      string   `json:"from"`
	ClusterID ID       `json:"cluster_id"`
	Named     bool     `json:"named,omitempty"` // as in Cluster
	Members   []Member `json:"members"`
}

// Failure is an address that gave no complete answer.
type Failure struct {
	URL   string `json:"url"`
	Error string `json:"error"`
	// Bar is AuthRequired, AuthFailed or TLSFailed where somebody lives there
	// and does not let this host in.
	Bar Reason `json:"bar,omitempty"`
	// Dated tells that TLS failed over a date alone: a certificate is renewed,
	// and a clock is set.
	Dated bool `json:"dated,omitempty"`
	// Rotates tells that a password was right before and comes from a file: it
	// was changed in the cluster, and the file follows.
	Rotates bool `json:"rotates,omitempty"`
	// Named tells that the admin names the address, or a member of a cluster
	// that he named; Of are the clusters that list it.
	Named bool `json:"named,omitempty"`
	Of    []ID `json:"of,omitempty"`
	// For is the peer URL for which a client URL was guessed.
	For string `json:"for,omitempty"`
}

// Duration is a time.Duration that reads as "1m30s" in JSON.
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes it as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Round gives it to a tenth of a second, for people.
func (d Duration) Round() Duration {
	return Duration(time.Duration(d).Round(100 * time.Millisecond))
}

// cluster gives the quorum's word of one cluster.
func (o Observation) cluster(id ID) (Cluster, bool) {
	for _, c := range o.Clusters {
		if c.ID == id {
			return c, true
		}
	}
	return Cluster{}, false
}

func (c Cluster) member(id ID) (Member, bool) {
	for _, m := range c.Members {
		if m.ID == id {
			return m, true
		}
	}
	return Member{}, false
}
