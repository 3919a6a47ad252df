package story

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

// TestRecordsThatAreMissing: a log that lacks its regular lines speaks against an intruder who was there; holes with an ordinary cause speak against nobody.
func TestRecordsThatAreMissing(t *testing.T) {
	beat := detect.Finding{Detection: "D57", What: detect.LogSilent, Title: "auth.log lacks the lines that cron leaves every hour", Level: detect.Medium, Rung: evidence.Witnessed, Path: "/var/log/auth.log", First: at("02:00:00"), Last: at("05:00:00"), For: quote("/var/log/auth.log")}
	lost := detect.Finding{Detection: "D58", What: detect.RecordsLost, Title: "9 serial numbers are missing", Rung: evidence.Effect, Path: "/var/log/audit/audit.log", Explained: "a queue that was full leaves the same", For: quote("/var/log/audit/audit.log")}
	s := Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), beat, lost}, full())
	check(t, &s)
	if len(s.Altered) != 1 || !strings.HasPrefix(s.Altered[0].Expected, "its regular lines from ") || s.Altered[0].Found != "none of them" {
		t.Errorf("%+v", s.Altered)
	}
	if s = Build(t.Context(), []detect.Finding{beat, lost}, full()); s.Verdict.Status != string(CannotTell) || len(s.Innocent) != 2 || s.Innocent[0].Why != lost.Explained {
		t.Errorf("%s: %+v", s.Verdict.Status, s.Innocent)
	}
}
