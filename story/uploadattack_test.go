package story

import (
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

// TestAfterAttempt: a script of which only the log tells weighs more if its user had just used a fault, and not if somebody else had, or long ago.
func TestAfterAttempt(t *testing.T) {
	gone := detect.Finding{Detection: "D23", What: detect.WebUpload, Level: detect.Medium, Rung: evidence.Accepted, First: at("03:00:02"), Last: at("03:00:09"), Count: 2, Path: "/uploads/x.php", Source: "203.0.113.6",
		Sources: []string{"203.0.113.6"}, Title: "the script /uploads/x.php in a directory for data was asked for", Detail: "it is not among the files that were read", For: quote("/var/log/apache2/access.log")}
	try := func(source, when string) detect.Finding {
		f := triedAt(false, source, when, "POST /wp-content/plugins/x/up.php")
		f.Mechanism = "code by a plugin of WordPress (CVE-2023-6553)"
		return f
	}
	for _, tc := range []struct {
		name string
		try  detect.Finding
		want bool
	}{
		{"just before", try("203.0.113.6", "03:00:00"), true},
		{"by somebody else", try("203.0.113.9", "03:00:00"), false},
		{"long ago", try("203.0.113.6", "01:00:00"), false},
	} {
		s := Build(t.Context(), []detect.Finding{gone, tc.try}, full())
		check(t, &s)
		if got := s.Verdict.Status == string(CannotTell) || s.Verdict.Status == Compromised; got != tc.want {
			t.Errorf("%s: %+v", tc.name, s.Verdict)
		}
	}
}
