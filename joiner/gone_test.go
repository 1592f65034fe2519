package joiner

import (
	"slices"
	"testing"
)

func TestGone(t *testing.T) {
	late := disco(founder(1), founder(2), founder(3), founder(4), Entry{"1", "garbage"}, founder(5))
	for _, c := range []struct {
		name string
		d    Discovery
		m    Member
		want []Entry
	}{
		{"one that joined later", late, member(5, "dead"), []Entry{founder(5)}},
		{"a founder", late, member(1, "dead"), nil},
		{"a stranger", late, member(6, "dead"), nil},
		{"founders only", disco(founder(1), founder(2), founder(3)), member(3, "dead"), nil},
		{"the service was down", Discovery{Kind: "v2", Error: "refused"}, member(3, "dead"), nil},
	} {
		if got := c.d.Gone(c.m); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
