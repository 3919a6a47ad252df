package story

import (
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

// TestWebHands: su by the web server's account is odd alone, and nothing where root or a person did it.
func TestWebHands(t *testing.T) {
	became := func(user, service string) detect.Finding {
		return detect.Finding{Detection: "D40", What: detect.BecameRoot, Rung: evidence.Effect, Account: user, As: "bob", Service: service, First: at("03:10:00"), Last: at("03:10:00"), Count: 1, Title: user + " became bob", For: quote("/var/log/auth.log")}
	}
	for _, tc := range []struct {
		name, status string
		finding      detect.Finding
	}{
		{"by su", string(CannotTell), became("www-data", "su")},
		{"by sudo, as sites' programs do", Clean, became("www-data", "sudo")},
		{"a person", Clean, became("alice", "su")},
		{"root", Clean, became("root", "su")},
	} {
		s := Build(t.Context(), []detect.Finding{tc.finding}, full())
		check(t, &s)
		if s.Verdict.Status != tc.status {
			t.Errorf("%s: %+v", tc.name, s.Verdict)
		}
	}
}
