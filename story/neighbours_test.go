package story

import (
	"testing"

	"telltale/detect"
)

// TestNeighbours: who mistypes where others have long been let in is no stranger; an address that is new to all is.
func TestNeighbours(t *testing.T) {
	for _, tc := range []struct {
		name   string
		other  string // address of the other account
		count  int64
		before float64 // hours
		want   bool
	}{
		{"others sit there", "203.0.113.6", 20, 24 * 20, true}, {"others sit elsewhere", "203.0.113.7", 20, 24 * 20, false},
		{"since yesterday", "203.0.113.6", 20, 24, false}, {"once", "203.0.113.6", 1, 24 * 20, false},
	} {
		g := login(detect.GuessedIn, "amy", "203.0.113.6", "password", "03:00:00", "03:10:00", detect.Access{FailedHere: 8, FailedAddress: 8, TriedAccounts: 1, FirstOfAccount: true, Trying: 60e9})
		l := login(detect.Login, "bob", tc.other, "password", "03:00:00", "03:10:00", detect.Access{FirstOfAccount: true})
		l.Count = tc.count
		l.First.Sec -= int64(tc.before * 3600)
		b := &builder{by: map[detect.What][]*detect.Finding{detect.Login: {&l}, detect.GuessedIn: {&g}}}
		if got := b.neighbours(&g); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
