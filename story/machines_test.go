package story

import (
	"slices"
	"strings"
	"testing"

	"telltale/detect"
)

// TestSeveralMachines: of several servers that are examined together it is said which one is meant, and what lies on the others was not read by who was on one.
func TestSeveralMachines(t *testing.T) {
	on := func(f detect.Finding, source string) detect.Finding {
		f.For = slices.Clone(f.For)
		for i := range f.For {
			f.For[i].Ref.Source = source
		}
		return f
	}
	findings := []detect.Finding{on(guessed("03:00:00", "03:10:00"), "s1"), on(sudo("bob", "03:01:00"), "s1"), on(cron("/etc/cron.d/x", "/var/tmp/.x/y", detect.High, "03:02:00"), "s1")}
	for _, f := range lie() {
		findings = append(findings, on(f, "s2"))
	}
	set := full()
	s := Build(t.Context(), findings, set)
	if len(s.Exposed) == 0 || strings.Contains(s.Verdict.Summary, "seen on") {
		t.Errorf("of one server: %d things exposed; %s", len(s.Exposed), s.Verdict.Summary)
	}
	set.Machines = map[string]string{"s1": "mail28", "s2": "web8"}
	s = Build(t.Context(), findings, set)
	check(t, &s)
	if len(s.Exposed) != 0 || !strings.Contains(s.Verdict.Summary, "seen on mail28. Of web8 nothing") || !strings.Contains(s.DoNow[0].Step, "Cut the server mail28 from") {
		t.Errorf("of two: %d things exposed; %s; %+v", len(s.Exposed), s.Verdict.Summary, s.DoNow[0])
	}
}
