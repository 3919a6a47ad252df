package story

import (
	"strings"
	"testing"
	"time"

	"telltale/detect"
)

// TestAuthor: who came back to a script for weeks may be its author, and is asked; one upload, a script beyond doubt or a daemon without a password are no work.
func TestAuthor(t *testing.T) {
	bad := with(script("/var/www/html/x.php", "bob", "203.0.113.6", "02:59:00", "03:00:00"), func(f *detect.Finding) { f.Level, f.Detail = detect.High, "it runs what a request carries" })
	works := with(uploaded("vsftpd", "bob", "password"), func(f *detect.Finding) { f.Count, f.First = 9, f.Last.Add(-20*24*time.Hour) })
	for _, tc := range []struct {
		name, status string
		findings     []detect.Finding
	}{
		{"weeks of work", string(CannotTell), []detect.Finding{works, bad}},
		{"one upload", Compromised, []detect.Finding{uploaded("vsftpd", "bob", "password"), bad}},
		{"many in a day", Compromised, []detect.Finding{with(works, func(f *detect.Finding) { f.First = f.Last.Add(-10 * time.Hour) }), bad}},
		{"beyond doubt", Compromised, []detect.Finding{works, with(bad, func(f *detect.Finding) { f.Level = detect.Critical })}},
		{"without a password", Compromised, []detect.Finding{with(works, func(f *detect.Finding) { f.Method = "none" }), bad}},
	} {
		s := Build(t.Context(), tc.findings, full())
		check(t, &s)
		if s.Verdict.Status != tc.status || (len(s.Actors) > 0) != (tc.status == Compromised) {
			t.Errorf("%s: %+v %+v", tc.name, s.Verdict, s.Actors)
		}
		if tc.status != Compromised && !strings.Contains(s.Verdict.Summary, "the word of bob") {
			t.Errorf("%s: nobody is asked: %s", tc.name, s.Verdict.Summary)
		}
	}
}
