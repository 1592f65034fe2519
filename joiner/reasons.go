package joiner

// The reasons, one for each row of the decision table (docs/decision-table.md).
const (
	// This host has data.
	ResumeRunning     Reason = "resume-running"     // an etcd runs on it
	ResumeMember      Reason = "resume-member"      // the cluster lists us
	ResumeUnconfirmed Reason = "resume-unconfirmed" // nobody can be asked
	DataDamaged       Reason = "data-damaged"
	DataForeign       Reason = "data-foreign"
	DataElsewhere     Reason = "data-elsewhere"    // this disk's member runs on another host
	DataMoved         Reason = "data-moved"        // our member has other peer URLs
	DataRemoved       Reason = "data-removed"      // the cluster removed our member
	DataReadOnly      Reason = "data-read-only"    // before a change: etcd could not write
	DataNoSpace       Reason = "data-no-space"     // before a change: etcd could not start
	DataUnarchivable  Reason = "data-unarchivable" // our member was removed, but there are archives enough, or no room, or it cannot be renamed
	DataStale         Reason = "data-stale"        // our member was removed, and archiving is forbidden

	// This host has none, and a cluster has a quorum.
	ClustersAmbiguous Reason = "clusters-ambiguous"
	ClusterForeign    Reason = "cluster-foreign"   // registrations, or a list, lead to a cluster that is not theirs
	JoinListed        Reason = "join-listed"       // our entry waits for us
	EntryMismatch     Reason = "entry-mismatch"    // unstarted entry with other URLs
	FormerSelf        Reason = "former-self"       // our entry, our disk is lost
	FormerSelfKept    Reason = "former-self-kept"  // the same, and the strategy does not remove
	OwnURLsInUse      Reason = "own-urls-in-use"   // a running member, or another cluster's etcd, has our URLs
	NameInUse         Reason = "name-in-use"       // a running member has our name
	URLsInUse         Reason = "urls-in-use"       // a running member has one of our URLs
	URLsHeld          Reason = "urls-held"         // a dead member has one of our URLs
	NotPrepared       Reason = "not-prepared"      // prepare, and no entry
	ClusterFull       Reason = "full"              //
	FullDead          Reason = "full-dead"         // full, and a dead member makes room
	PruneDead         Reason = "prune-dead"        //
	WatchMembers      Reason = "watch-members"     // is a member dead?
	NoEvidence        Reason = "no-evidence"       // it cannot be told
	QuorumAtRisk      Reason = "quorum-at-risk"    //
	OneToTwo          Reason = "one-to-two"        // a second voter would take the quorum hostage
	RoomToJoin        Reason = "room"              //
	RoomToReplace     Reason = "room-to-replace"   // beside the dead member, which goes when we have caught up
	HangingDead       Reason = "hanging-dead"      // nobody is to wait for it
	MemberHangs       Reason = "member-hangs"      // the same, and the strategy keeps it
	NoLearners        Reason = "no-learners"       // this host is to be one, and the cluster is older than 3.4
	LearnerInFlight   Reason = "learner-in-flight" // it has not caught up yet
	LearnerLeft       Reason = "learner-left"      // a learner that nobody promoted is promoted
	IntentClaim       Reason = "intent-claim"      //
	IntentRenew       Reason = "intent-renew"      //
	IntentRelease     Reason = "intent-release"    //
	JoinOver          Reason = "join-over"         //
	JoinInFlight      Reason = "join-in-flight"    // another host changes the membership
	VersionUnknown    Reason = "version-unknown"   //
	VersionSkew       Reason = "version-skew"      //
	VersionUndecided  Reason = "version-undecided" //
	AlarmCorrupt      Reason = "alarm-corrupt"     // the members differ
	MemberUnlistable  Reason = "member-unlistable" // by its peer URLs
	VersionDowngrade  Reason = "version-downgrade" // to be older soon

	// Before a change of the membership.
	AdvertiseLoopback   Reason = "advertise-loopback"   // others would look for us on themselves
	AdvertiseScheme     Reason = "advertise-scheme"     // http among https, or the reverse
	AdvertiseUnresolved Reason = "advertise-unresolved" // a name without an address
	PeerCertificate     Reason = "peer-certificate"     // others would not take it

	// A server lives and does not let us in.
	AuthRequired Reason = "auth-required"
	AuthFailed   Reason = "auth-failed"
	TLSFailed    Reason = "tls-failed"

	// This host has none, and no quorum answers.
	NotConfigured      Reason = "not-configured"
	ClusterNoQuorum    Reason = "no-quorum"
	ClusterUnreachable Reason = "unreachable"
	DiscoveryDown      Reason = "discovery-unreachable"
	DiscoveryRefused   Reason = "discovery-refused"
	DiscoveryMissing   Reason = "discovery-token-unknown"
	DiscoveryInvalid   Reason = "discovery-entry-invalid"
	FounderRecord      Reason = "founder-record"
	FounderRegister    Reason = "founder-register"
	FoundersMissing    Reason = "founders-missing"
	Found              Reason = "found"
	FounderLostDisk    Reason = "founder-lost-disk"
	FoundersDiffer     Reason = "founders-differ"
	FounderNotListed   Reason = "founder-not-listed" // the list of founders is without us

	// Of the promotion, which runs beside etcd.
	PromoteNotStarted Reason = "promote-not-started"
	PromoteNotMember  Reason = "promote-not-member"
	PromoteBehind     Reason = "promote-behind"
	PromoteReplaced   Reason = "promote-replaced" // the member it replaces goes
	PromoteFull       Reason = "promote-full"     // and whom it would replace is alive
	PromoteMoved      Reason = "promote-moved"    // the only voter has another address
	PromoteReady      Reason = "promote-ready"
	PromoteDone       Reason = "promote-done"

	// Of leaving.
	LeaveLast    Reason = "leave-last"
	LeaveUnclear Reason = "leave-unclear" // which member is this host?
	LeaveLeader  Reason = "leave-leader"  // somebody else leads first
	LeaveMember  Reason = "leave-member"
	LeaveDone    Reason = "leave-done"

	// Of Run itself.
	StepFailed Reason = "step-failed"
)
