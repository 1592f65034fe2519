package simulator

import (
	"reflect"
	"testing"
)

// Every row of the table, in every column.
func TestVerdicts(t *testing.T) {
	versions, rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		for _, v := range versions {
			before, after, got := r.Play(v)
			if got != r.Verdicts[v] {
				t.Errorf("%s: etcd %s: %s, want %s", r, v, got, r.Verdicts[v])
			}
			if changed := !reflect.DeepEqual(before.Members, after.Members); changed != (got == "ok" || got == "ok lost") {
				t.Errorf("%s: etcd %s: %s, changed: %v", r, v, got, changed)
			}
		}
	}
	t.Logf("%d rows, %d versions", len(rows), len(versions))
}
