package joiner

// Details are what a member's server tells of itself, for people: no decision
// rests on them.
type Details struct {
	Version string `json:"version,omitempty"` // in full, such as 3.6.16
	// DBSize is the size of the database in bytes, DBInUse what of it holds
	// data; zero where it is not told.
	DBSize  int64 `json:"db_size,omitempty"`
	DBInUse int64 `json:"db_in_use,omitempty"`
	// Committed and Applied are log entries, at one moment of its own.
	Committed uint64 `json:"committed,omitempty"`
	Applied   uint64 `json:"applied,omitempty"`
}

// Unapplied is how many committed entries it has not taken in yet.
func (d Details) Unapplied() (entries uint64, known bool) {
	if d.Applied == 0 || d.Applied > d.Committed {
		return 0, d.Applied > 0
	}
	return d.Committed - d.Applied, true
}
