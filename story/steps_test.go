package story

import (
	"slices"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

// checkSteps looks at what must hold of every story's steps and summary: no password is called known that no way in used, nothing is advised twice, and no place for a
// word stays empty.
func checkSteps(t *testing.T, s *Story) {
	t.Helper()
	byPassword := slices.ContainsFunc(s.Entry, func(e Entry) bool {
		return slices.Contains([]string{"ssh-password-guessed", "ftp-password"}, e.Vector)
	})
	insider := slices.ContainsFunc(s.Entry, func(e Entry) bool { return e.Vector == "insider" })
	seen := map[string]bool{}
	for i, d := range s.DoNow {
		if strings.HasPrefix(d.Step, "Change the password") && !byPassword {
			t.Errorf("%q, though nobody came in by a password: %+v", d.Step, s.Entry)
		}
		if insider && i == 0 && !strings.HasPrefix(d.Step, "Speak to nobody") {
			t.Errorf("before it is said to keep it quiet: %q", d.Step)
		}
		if seen[d.Step] {
			t.Errorf("advised twice: %q", d.Step)
		}
		seen[d.Step] = true
	}
	for _, text := range append([]string{s.Verdict.Summary}, s.Unknown...) {
		if strings.Contains(text, "  ") || strings.Contains(text, " ,") || strings.Contains(text, "as at ") || strings.Contains(text, "()") || strings.Contains(text, "%!") {
			t.Errorf("a word is missing: %q", text)
		}
	}
}

// TestStepsFitWhatWasTried: who was only scanned is not told that passwords are guessed, and what is odd is named, not only the file that holds it.
func TestStepsFitWhatWasTried(t *testing.T) {
	amy := login(detect.Login, "amy", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{FirstOfAccount: true})
	attack := detect.Finding{Detection: "D20", What: detect.WebAttack, Title: "60 requests tried the log4j bug", Level: detect.Low, Rung: evidence.Attempt, Count: 60, For: quote("/var/log/apache2/access.log")}
	made := with(twin("03:00:00"), func(f *detect.Finding) {
		f.What, f.Path, f.Title = detect.AccountMade, "", "account toor2 was made with uid 0"
	})
	for name, tc := range map[string]struct {
		findings    []detect.Finding
		want, never string
	}{
		"guessed at":      {[]detect.Finding{amy, guessing}, "only keys log in", "site's software"},
		"the site tried":  {[]detect.Finding{amy, attack}, "site's software", "only keys log in"},
		"a second root":   {[]detect.Finding{twin("03:00:00")}, "a second account with uid 0 (/etc/passwd)", "was made with"},
		"made and listed": {[]detect.Finding{twin("03:00:00"), made}, "a second account with uid 0", "was made with uid 0."},
	} {
		s := Build(t.Context(), tc.findings, full())
		check(t, &s)
		var steps []string
		for _, d := range s.DoNow {
			steps = append(steps, d.Step)
		}
		if all := strings.Join(steps, "\n"); !strings.Contains(all, tc.want) || strings.Contains(all, tc.never) {
			t.Errorf("%s: %s (%s)", name, all, s.Verdict.Summary)
		}
	}
}
