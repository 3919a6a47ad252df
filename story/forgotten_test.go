package story

import (
	"testing"

	"telltale/detect"
)

// TestForgotten: who forgot his own password and comes from where he always comes from has guessed nothing.
func TestForgotten(t *testing.T) {
	forgot := guessed("03:00:00", "03:10:00")
	forgot.Access.TriedAccounts, forgot.Access.FailedHere, forgot.Access.FailedAddress = 1, 9, 9
	for _, tc := range []struct {
		name   string
		change func(*detect.Access)
		in     bool
	}{
		{"from the network of his earlier logins", func(*detect.Access) {}, false},
		{"from a network that the account never came from", func(a *detect.Access) { a.NewAddress = true }, false},
		{"the account's first login", func(a *detect.Access) { a.FirstOfAccount = true }, false},
		{"a few other names, too, as who looks for the right one tries", func(a *detect.Access) { a.TriedAccounts, a.NewAddress = 4, true }, false},
		{"a program tried the old password for days", func(a *detect.Access) { a.FailedHere, a.FailedAddress, a.NewAddress = 200, 200, true }, false},
		{"many tries at other accounts, too", func(a *detect.Access) { a.TriedAccounts, a.FailedAddress = 4, 40 }, true},
	} {
		f := with(forgot, func(f *detect.Finding) { tc.change(f.Access) })
		s := Build(t.Context(), []detect.Finding{f, sudo("bob", "03:01:00")}, full())
		check(t, &s)
		if got := len(s.Entry) > 0; got != tc.in {
			t.Errorf("%s: %s %+v", tc.name, s.Verdict.Status, s.Entry)
		}
	}
}
