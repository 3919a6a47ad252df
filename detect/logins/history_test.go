package logins_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/logins"
)

// TestAnAccountWithVeryManyAddressesIsMeasuredInTime guards against a comparison that grows with the square of the logins.
func TestAnAccountWithVeryManyAddressesIsMeasuredInTime(t *testing.T) {
	var b strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&b, "03:%02d:%02d %s user.name=root source.ip=198.%d.%d.7\n", i/60%60, i%60, accepted, i/250, i%250)
	}
	began := time.Now()
	detecttest.Run(t, logins.New(), detecttest.Scene(), b.String())
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %s", d)
	}
}

func TestAContainersAccountIsNoneOfTheHost(t *testing.T) {
	tries := "03:00:00 " + failed + " user.name=root source.ip=203.0.113.6 IN x60\n03:05:00 " + accepted + " user.name=root source.ip=203.0.113.6 IN"
	for in, want := range map[string]int{"container.id=89a04170593a89a04170593a": 0, "": 1} {
		got := detecttest.Run(t, logins.New(), detecttest.Scene(), strings.ReplaceAll(tries, "IN", in))
		if n := len(detecttest.Of(got, detect.GuessedIn)); n != want {
			t.Errorf("%q: %d logins that were guessed, want %d", in, n, want)
		}
		for _, r := range got {
			if in != "" && (r.Level > detect.Medium || r.Account == "root") {
				t.Errorf("%+v", r)
			}
		}
	}
}
