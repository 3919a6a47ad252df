package story

import (
	"slices"
	"testing"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// TestAfterAGuess: whoever uses a guessed password from elsewhere and makes an account is suspected; whoever only comes from elsewhere is not.
func TestAfterAGuess(t *testing.T) {
	login := func(what detect.What, source, from, to string, a detect.Access) detect.Finding {
		a.Sessions = []detect.Span{{Start: at(from), End: at(to)}}
		a.Longest = at(to).Sub(at(from))
		return detect.Finding{Detection: "D13", What: what, Level: detect.High, Rung: evidence.Accepted, Service: "sshd", Account: "root", Source: source, Method: "password", First: at(from), Last: at(from), Count: 1, Access: &a, Title: "login", For: quote("/var/log/auth.log")}
	}
	guessed := login(detect.GuessedIn, "203.0.113.6", "01:00:00", "01:00:02", detect.Access{FailedHere: 300, FailedAddress: 600, TriedAccounts: 9, TriedInvalid: 50, Trying: 10 * time.Minute, NewAddress: true})
	later := login(detect.Login, "198.51.100.9", "03:00:00", "03:30:00", detect.Access{NewAddress: true})
	owner := login(detect.Login, "198.51.100.9", "03:00:00", "03:30:00", detect.Access{})
	made := detect.Finding{Detection: "D44", What: detect.AccountMade, Mechanism: "account-created", Rung: evidence.Effect, Account: "ops", First: at("03:10:00"), Last: at("03:10:00"), Title: "account ops was made", For: quote("/var/log/auth.log")}
	for _, tc := range []struct {
		name      string
		suspected bool
		findings  []detect.Finding
	}{
		{"an account is made", true, []detect.Finding{guessed, later, made}},
		{"nothing is made", false, []detect.Finding{guessed, later}},
		{"from where the account comes", false, []detect.Finding{guessed, owner, made}},
	} {
		s := Build(t.Context(), tc.findings, full())
		check(t, &s)
		got := slices.ContainsFunc(s.Actors, func(a Actor) bool { return slices.Contains(a.Sources, "198.51.100.9") })
		if got != tc.suspected {
			t.Errorf("%s: %+v", tc.name, s.Actors)
		}
	}
}
