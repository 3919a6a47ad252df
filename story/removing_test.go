package story

import (
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

func TestNamesAddress(t *testing.T) {
	for command, want := range map[string]bool{
		"sed -i /10.8.0.6/d /var/log/auth.log": true, `sed -i '/10\.8\.0\.6/d' /var/log/secure`: true, "grep -v 10.8.0.6 /var/log/auth.log > x": true,
		"sed -i /110.8.0.6/d /var/log/auth.log": false, "sed -i /10.8.0.60/d /var/log/auth.log": false, "sed -i /10.8.0.61/d a; sed -i /10.8.0.6/d b": true, "rm /var/log/auth.log": false,
	} {
		if got := namesAddress(command, "10.8.0.6"); got != want {
			t.Errorf("%q: %v", command, got)
		}
	}
	if namesAddress("rm /var/log/auth.log", "") {
		t.Error("no address")
	}
}

// TestRemoving: who comes from the address whose lines were taken out is suspected, whatever else is known; a log that is emptied names nobody.
func TestRemoving(t *testing.T) {
	typed := func(runs string) detect.Finding {
		return detect.Finding{Detection: "D58", What: detect.Command, Level: detect.High, Rung: evidence.Effect, Mechanism: "history", Title: "root typed: " + runs, Runs: runs, Account: "root", Path: "/root/.bash_history", For: quote("/root/.bash_history")}
	}
	in := login(detect.Login, "amy", "203.0.113.6", "publickey", "03:00:00", "03:10:00", detect.Access{NewAddress: true})
	for runs, want := range map[string]bool{"sed -i /203.0.113.6/d /var/log/auth.log": true, "truncate -s0 /var/log/auth.log": false} {
		s := Build(t.Context(), []detect.Finding{in, typed(runs)}, full())
		if got := len(s.Entry) == 1 && len(s.Entry[0].Sources) == 1 && s.Entry[0].Sources[0] == "203.0.113.6"; got != want {
			t.Errorf("%s: %s %+v", runs, s.Verdict.Status, s.Entry)
		}
	}
}
