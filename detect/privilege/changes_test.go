package privilege_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/privilege"
)

func TestAChangeToldByThreeWitnessesIsOne(t *testing.T) {
	const changed = "03:00:00 password-changed user.name=bob\n03:00:01 password-changed user.name=bob transport=journal @/j\n03:00:01 password-changed user.name=bob transport=audit @/a\n"
	for more, want := range map[string]int{"": 1, "03:00:01 password-changed user.name=amy": 2, "03:00:09 password-changed user.name=bob": 2} {
		if got := detecttest.Of(detecttest.Run(t, privilege.New(), detecttest.Scene(), changed+more), detect.AccountMade); len(got) != want {
			t.Errorf("%q: %d changes, want %d", more, len(got), want)
		}
	}
}

// TestVeryManyChangesAreFoldedInTime guards against a fold that holds each change against all before.
func TestVeryManyChangesAreFoldedInTime(t *testing.T) {
	var b strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&b, "03:%02d:%02d account-changed user.name=bob change=shell%d\n", i/60%60, i%60, i)
	}
	events := detecttest.Events(t, b.String())
	f := privilege.New().New(detecttest.Scene())
	began := time.Now()
	for i := range events {
		f.Observe(&events[i])
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("it took %s", d)
	}
}
