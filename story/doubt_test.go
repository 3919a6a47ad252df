package story

import (
	"testing"
	"time"

	"telltale/detect"
)

func TestBehindTheTries(t *testing.T) {
	for name, x := range map[string]struct {
		a    detect.Access
		want bool
	}{
		"half an hour behind tries of every seven seconds": {detect.Access{FailedAddress: 40, Trying: 33 * time.Minute, SinceTry: 28 * time.Minute}, true},
		"with one mistyped":         {detect.Access{FailedAddress: 41, FailedHere: 1, Trying: 33 * time.Minute, SinceTry: 28 * time.Minute}, true},
		"the next one of them":      {detect.Access{FailedAddress: 40, Trying: 280 * time.Second, SinceTry: 7 * time.Second}, false},
		"as slow as the tries were": {detect.Access{FailedAddress: 20, Trying: 20 * time.Hour, SinceTry: time.Hour}, false},
		"no time of the last one":   {detect.Access{FailedAddress: 40, Trying: time.Hour}, false},
		"a single one":              {detect.Access{FailedAddress: 1, Trying: time.Hour, SinceTry: time.Hour}, false},
	} {
		if got := behindTheTries(&x.a); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
