package casefile_test

import (
	"strings"
	"testing"

	"telltale/casefile"
)

func TestAClockInWords(t *testing.T) {
	c := casefile.Clock{Clock: "text logs of copy", Against: "text logs of web1", Skew: 17220.4, Drift: 5.02, Error: 0.6, Pairs: 213, Since: "2024-06-01T08:00:00Z", Until: "2024-06-21T07:00:00Z"}
	for _, want := range []string{"text logs of copy was 4h47m0s ahead of that of the text logs of web1", "gained 5.0 seconds a day", "213 events", "within 0.6 seconds"} {
		if w := c.Words(); !strings.Contains(w, want) {
			t.Errorf("%q is missing in %q", want, w)
		}
	}
	c.Skew, c.Drift = -30, 0
	if w := c.Words(); !strings.Contains(w, "30s behind") || strings.Contains(w, "a day") {
		t.Error(w)
	}
	for _, same := range []casefile.Clock{{Skew: 3600}, {Against: "x", Skew: 1.2, Drift: 0.1}} {
		if w := same.Words(); w != "" {
			t.Error(w)
		}
	}
}
