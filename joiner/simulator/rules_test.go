package simulator

import (
	"testing"
	"time"

	"github.com/sttts/elastic-etcd/joiner"
)

// Where the rules change: the patches around each boundary.
func TestBoundaries(t *testing.T) {
	for _, b := range []struct {
		version                                            string
		strict, learners, whileDown, notices, hangs, steps bool
	}{
		{"2.3.8", false, false, false, true, true, false},
		{"3.0.17", false, false, false, true, true, true},
		{"3.1.0", true, false, false, true, true, true},
		{"3.3.27", true, false, false, true, true, true},
		{"3.4.0", true, true, false, true, true, true},
		{"3.4.45", true, true, false, true, true, true},
		{"3.5.0", true, true, false, false, true, true},
		{"3.5.29", true, true, false, false, true, true},
		{"3.5.30", true, true, true, false, true, true},
		{"3.6.0", true, true, false, false, false, true},
		{"3.6.10", true, true, false, false, false, true},
		{"3.6.11", true, true, true, false, false, true},
		{"3.7.0", true, true, true, false, false, true},
	} {
		v, err := ParseVersion(b.version)
		if err != nil {
			t.Fatal(err)
		}
		got := []bool{v.Strict(), v.learners(), v.addsWhileDown(), v.noticesHangs(), v.joinHangs(), v.stepsDown()}
		for i, want := range []bool{b.strict, b.learners, b.whileDown, b.notices, b.hangs, b.steps} {
			if got[i] != want {
				t.Errorf("etcd %s, rule %d: %v, want %v", b.version, i, got[i], want)
			}
		}
	}
}

// What is owed is paid by the leader that knows of it, whoever comes first.
func TestOwed(t *testing.T) {
	c := New(v36, 3)
	c.Elect(2)
	c.Kill(3)
	c.Kill(1)
	want(t, "remove", c.Remove(2, 3), ErrTimeout)
	want(t, "remove another", c.Remove(2, 1), ErrTimeout)
	c.Start(1)
	if c.Leader != 2 || c.Member(3) != nil || c.Member(1) == nil {
		t.Errorf("leader %s of %+v", c.Leader, c.Members)
	}
}

// The window of an entry that never ran begins when no intent is about it.
func TestCovered(t *testing.T) {
	c := New(v36, 3)
	h := c.NewHost(5, joiner.Policy{})
	_ = c.Claim(intentOf(4))
	_, _ = c.AddVoter(0, URL(4))
	for _, s := range []struct {
		pass   time.Duration
		silent time.Duration
	}{{time.Minute, 0}, {time.Minute, 0}, {30 * time.Second, 30 * time.Second}} {
		c.Watch(s.pass, h)
		if got := c.Observe(h).Clusters[0].Members[3].Health.Silent; got != joiner.Duration(s.silent) {
			t.Errorf("silent for %s, want %s; intent %+v", got, s.silent, c.Intent())
		}
	}
}
