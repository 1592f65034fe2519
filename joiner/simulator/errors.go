package simulator

import "errors"

// What etcd says to a change of its membership that it does not make.
var (
	ErrUnhealthy     = errors.New("unhealthy cluster")
	ErrFewStarted    = errors.New("re-configuration failed due to not enough started members")
	ErrManyLearners  = errors.New("too many learner members in cluster")
	ErrNotReady      = errors.New("can only promote a learner member which is in sync with leader")
	ErrNotLearner    = errors.New("can only promote a learner member")
	ErrURLExists     = errors.New("peer URLs already exist")
	ErrNotFound      = errors.New("member not found")
	ErrRemoved       = errors.New("member permanently removed")
	ErrBadLeader     = errors.New("bad leader transferee")
	ErrTimeout       = errors.New("timed out: no quorum, or no leader")
	ErrNotSupported  = errors.New("rpc not supported for learner")
	ErrUnreachable   = errors.New("no such member answers")
	ErrUnknownMethod = errors.New("unknown method")
)

// What stands against a step before etcd is asked.
var (
	ErrChanged      = errors.New("the members are others than those that the decision rests on")
	ErrIntentLost   = errors.New("the intent is not in the cluster any more")
	ErrNotSimulated = errors.New("this step is not one on a cluster")
)

// How the start of an etcd ends that does not become a member.
var (
	ErrWrongList = errors.New("etcd refuses its initial cluster: it is not the member list")
	ErrHangs     = errors.New("etcd waits without end for a member that hangs")
	ErrLostLog   = errors.New("etcd starts as a member that ran, without its log: it panics or forgets acknowledged writes")
)

var verdicts = map[error]string{
	nil: "ok", ErrUnhealthy: "unhealthy", ErrFewStarted: "few", ErrManyLearners: "many", ErrNotReady: "notready",
	ErrNotLearner: "voter", ErrURLExists: "exists", ErrNotFound: "notfound", ErrRemoved: "removed", ErrTimeout: "timeout",
	ErrUnknownMethod: "-",
}

// Verdict is the short name of an answer to a change, as testdata/verdicts.txt
// has it.
func Verdict(err error) string {
	if v, known := verdicts[err]; known {
		return v
	}
	return err.Error()
}
