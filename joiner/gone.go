package joiner

// Gone are the registrations of a member that was removed from its cluster.
// The founders' are never among them: their places stay taken for good.
func (d Discovery) Gone(m Member) []Entry {
	if d.Size < 1 || len(d.Entries) <= d.Size {
		return nil
	}
	var gone []Entry
	for _, e := range d.Entries[d.Size:] {
		if p, err := e.Peer(); err == nil && overlap(p.URLs, m.PeerURLs) {
			gone = append(gone, e)
		}
	}
	return gone
}
