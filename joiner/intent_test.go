package joiner

import (
	"strings"
	"testing"
	"time"
)

// An intent that lasts longer than any of ours is for a human to delete.
func TestIntentThatLasts(t *testing.T) {
	for left, byHand := range map[time.Duration]bool{
		time.Minute: false, IntentTime + 3*time.Second: false, 24 * time.Hour: true,
	} {
		plan := Decide(host(4), observed(cluster("healthy healthy dead", intent(5, func(i *Intent) { i.Left = Duration(left) }))))
		if plan.Reason != JoinInFlight || strings.Contains(plan.Hint, IntentKey) != byHand {
			t.Errorf("%v left: %s: %s", left, plan.Reason, plan.Hint)
		}
	}
}
