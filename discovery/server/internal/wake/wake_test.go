package wake

import "testing"

func TestTokens(t *testing.T) {
	var w Tokens
	w.Notify("nobody's")
	a, endA := w.Subscribe("a")
	b, endB := w.Subscribe("b")
	woken := func(want ...bool) {
		t.Helper()
		for i, ch := range []<-chan struct{}{a, b} {
			select {
			case <-ch:
				if !want[i] {
					t.Errorf("%d was woken", i)
				}
			default:
				if want[i] {
					t.Errorf("%d was not woken", i)
				}
			}
		}
	}
	w.Notify("a")
	w.Notify("a")
	woken(true, false)
	woken(false, false)
	w.NotifyAll()
	woken(true, true)
	endA()
	w.NotifyAll()
	woken(false, true)
	endB()
	if n := w.Waiting(); n != 0 {
		t.Errorf("%d are left", n)
	}
}
