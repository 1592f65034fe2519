package simulator

import "slices"

// Walk leads one cluster through several rows of testdata/verdicts.txt: what
// is refused leaves the situation as it was, and what is admitted leads to the
// next one. For tests on real servers, where every cluster costs seconds.
type Walk []Move

// Move is a step of a walk, and what it is to come to.
type Move struct {
	Step    Step
	Verdict string // "" for an event
	Line    int    // of the row that says so; 0: a step on the way to a row
}

// Walks gives walks to all rows of a version that are wanted, and by all that
// lie on the way, each row once at most. Those that etcd of this version has no
// word for are left out.
func Walks(version Version, rows []Row, wanted func(Row) bool) (walks []Walk) {
	w := walker{version: version, at: map[string][]Row{}}
	for _, r := range rows {
		if r.Verdicts[version] == "-" {
			continue
		}
		w.at[Steps(r.Situation)] = append(w.at[Steps(r.Situation)], r)
		if wanted(r) {
			w.targets = append(w.targets, r.target(version))
		}
	}
	// The longest first: they pass by the others.
	slices.SortStableFunc(w.targets, func(a, b []Step) int { return len(b) - len(a) })
	for _, target := range w.targets {
		if walk, news := w.to(target); news {
			walks = append(walks, walk)
		}
	}
	return walks
}

// target is the situation to reach for a row: the one after it, where etcd
// does what is asked.
func (r Row) target(version Version) []Step {
	if !r.admitted(version) {
		return r.Situation
	}
	return append(slices.Clone(r.Situation), r.Operation)
}

func (r Row) admitted(version Version) bool {
	return r.Verdicts[version] == "ok" || r.Verdicts[version] == "ok lost"
}

type walker struct {
	version Version
	at      map[string][]Row // rows that no walk has met, by their situation
	targets [][]Step
}

// to walks to a situation and meets all rows on the way. news is false where
// that meets none.
func (w *walker) to(target []Step) (walk Walk, news bool) {
	for i, s := range target {
		move := Move{Step: s}
		if s.Changes() {
			move = w.admittedAt(target[:i], s)
		}
		walk = append(walk, move)
		if !s.Just {
			walk = append(walk, w.refusedAt(justLast(target[:i+1]), false)...)
			walk = append(walk, Move{Step: rest})
		}
		walk = append(walk, w.refusedAt(target[:i+1], i == len(target)-1)...)
	}
	return walk, slices.ContainsFunc(walk, func(m Move) bool { return m.Line != 0 })
}

// rest is when a cluster comes to rest.
var rest = Step{Verb: "rest"}

// Rests tells whether the move is to wait until the cluster is at rest.
func (m Move) Rests() bool { return m.Step == rest }

// justLast is the situation right after its last step.
func justLast(steps []Step) []Step {
	steps = slices.Clone(steps)
	steps[len(steps)-1].Just = true
	return steps
}

// refusedAt takes the rows of a situation that leave it as it is. A change that
// times out may be made later on, so it is for the end of a walk.
func (w *walker) refusedAt(situation []Step, end bool) (walk Walk) {
	key := Steps(situation)
	w.at[key] = slices.DeleteFunc(w.at[key], func(r Row) bool {
		take := !r.admitted(w.version) && (end || r.Verdicts[w.version] != "timeout")
		if take {
			walk = append(walk, Move{Step: r.Operation, Verdict: r.Verdicts[w.version], Line: r.Line})
		}
		return take
	})
	return walk
}

// admittedAt takes the row of a change that leads on. There is none where an
// earlier walk met it.
func (w *walker) admittedAt(situation []Step, s Step) Move {
	move := Move{Step: s}
	_, _, move.Verdict = Row{Situation: situation, Operation: s}.Play(w.version)
	key := Steps(situation)
	w.at[key] = slices.DeleteFunc(w.at[key], func(r Row) bool {
		if r.Operation != s {
			return false
		}
		move.Verdict, move.Line = r.Verdicts[w.version], r.Line
		return true
	})
	return move
}
