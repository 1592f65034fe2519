package server

import "errors"

// ErrClash is a founder's registration with the name or a peer URL of another
// founder. etcd accepts no such list, and a place that is taken stays taken:
// two hosts that registered at the same moment would spoil the token for all.
var ErrClash = errors.New("a founder has this name or peer URL already")

// clashes tells whether a value would take one of the founders' places with
// something that a founder has.
func (d Directory) clashes(value string) bool {
	if len(d.Entries) >= d.Size {
		return false // behind the founders it is only an announcement
	}
	for _, e := range d.Entries {
		if shares(pairs(e.Value), pairs(value)) {
			return true
		}
	}
	return false
}

func shares(a, b []pair) bool {
	for _, x := range a {
		for _, y := range b {
			if x.name == y.name || same(x.url, y.url) {
				return true
			}
		}
	}
	return false
}
