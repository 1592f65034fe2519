package simulator

import "testing"

// Walks meet every row once, and go where the simulator goes.
func TestWalks(t *testing.T) {
	versions, rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		walks, met := Walks(v, rows, func(Row) bool { return true }), map[int]int{}
		for _, walk := range walks {
			follow(t, v, walk)
			for _, m := range walk {
				met[m.Line]++
			}
		}
		for _, r := range rows {
			if want := r.Verdicts[v] != "-"; (met[r.Line] == 1) != want || met[r.Line] > 1 {
				t.Errorf("etcd %s: %s: met %d times", v, r, met[r.Line])
			}
		}
		t.Logf("etcd %s: %d walks", v, len(walks))
	}
}

func follow(t *testing.T, v Version, walk Walk) {
	t.Helper()
	first := walk[0].Step
	first.Just = true
	c := Found(v, first)
	for _, m := range walk[1:] {
		switch got := ""; {
		case m.Rests():
			c.Pass(HealthInterval)
		case m.Step.Changes():
			if got = c.Ask(m.Step); got != m.Verdict {
				t.Errorf("etcd %s: line %d: %s is %s, want %s", v, m.Line, m.Step, got, m.Verdict)
			}
		default:
			m.Step.Just = true
			_ = c.Play(m.Step)
		}
	}
}
