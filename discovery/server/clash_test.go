package server

import "testing"

func TestClashes(t *testing.T) {
	founders := Directory{Size: 3, Entries: []Entry{{Value: "a=http://a:1,a=http://a:2"}, {Value: "garbage"}}}
	for _, c := range []struct {
		value string
		dir   Directory
		want  bool
	}{
		{"b=http://b:1", founders, false},
		{"a=http://b:1", founders, true},
		{"b=http://a:2", founders, true},
		{"b=http://b:1,b=http://a:1", founders, true},
		{"b=http://A:2", founders, true},
		{"b=http://[0:0::1]:2", Directory{Size: 2, Entries: []Entry{{Value: "a=http://[::1]:2"}}}, true},
		{"garbage", founders, false},
		{"a=http://b:1", Directory{Size: 2, Entries: founders.Entries}, false},
	} {
		if got := c.dir.clashes(c.value); got != c.want {
			t.Errorf("%q beside %d of %d: %v, want %v", c.value, len(c.dir.Entries), c.dir.Size, got, c.want)
		}
	}
}
