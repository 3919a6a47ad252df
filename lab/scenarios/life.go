package scenarios

import (
	"fmt"
	"net/netip"
	"sort"
	"time"

	"telltale/lab"
	"telltale/lab/site"
)

// server gives a server with the cast's people, and the administrator's own job and key.
func server(p *lab.Play, services ...lab.Service) lab.Setup {
	s := lab.Setup{Hostname: p.Host, Zone: p.Zone, Traditional: p.Rand.IntN(3) == 0, Services: services}
	s.Accounts = append(s.Accounts, lab.Account{Name: p.Admin.Account, Sudo: true, Keys: []*lab.Key{p.Admin.Key}})
	for i := range p.Staff {
		a := lab.Account{Name: p.Staff[i].Account, Password: p.Staff[i].Password}
		if i == 0 {
			a.Keys = []*lab.Key{p.Staff[0].Key}
		}
		s.Accounts = append(s.Accounts, a)
	}
	check := "/usr/local/bin/" + lab.Pick(p, "site-check", "disk-report", "cert-look", "nightly-copy")
	name := check[len("/usr/local/bin/"):]
	s.Files = append(s.Files, lab.File{Path: check, Owner: "root", Mode: 0o755, Data: []byte("#!/bin/sh\n# looks whether all is well\ndf -h / >/dev/null\n")},
		lab.File{Path: "/etc/cron.d/" + name, Owner: "root", Mode: 0o644, Data: []byte(fmt.Sprintf("%d */%d * * * root %s >/dev/null\n", p.Rand.IntN(60), 2+p.Rand.IntN(5), check))})
	return s
}

// weaken gives an account a password that guessing finds, and the tries before it.
func weaken(p *lab.Play, s *lab.Setup, i int) (tries []string) {
	found, tries := p.Weak(p.Staff[i].Account)
	p.Staff[i].Password = found
	s.Accounts[1+i].Password = found
	return tries
}

// deed is an ordinary act at its time of a day.
type deed struct {
	at time.Duration
	do func() error
}

// life lets ordinary days pass on a written stage, and plays a short hour of them on a real one.
func life(p *lab.Play, days int) error {
	if !p.Stage.Written() {
		return do(deeds(p, 0.12), func(deed) error { return p.Pause(0.5) })
	}
	for range days {
		began := p.Stage.Now()
		if err := do(deeds(p, 1), func(d deed) error { return p.Stage.Wait(p.Ctx, began.Add(d.at).Sub(p.Stage.Now())) }); err != nil {
			return err
		}
		if err := p.Stage.Wait(p.Ctx, began.Add(24*time.Hour).Sub(p.Stage.Now())); err != nil {
			return err
		}
	}
	return nil
}

func do(list []deed, before func(deed) error) error {
	for _, d := range list {
		if err := before(d); err != nil {
			return err
		}
		if err := d.do(); err != nil {
			return err
		}
	}
	return nil
}

// later waits some hours of the written clock: the intruder comes when it comes.
func later(p *lab.Play) error {
	return p.Stage.Wait(p.Ctx, time.Duration(20+p.Rand.IntN(400))*time.Minute)
}

// deeds draws what happens in a day, or in a share of one.
func deeds(p *lab.Play, share float64) (list []deed) {
	n := func(least, most int) int { return max(1, int(share*float64(least+p.Rand.IntN(most-least+1)))) }
	add := func(k int, f func() error) {
		for range k {
			list = append(list, deed{time.Duration(p.Rand.Int64N(int64(24 * time.Hour))), f})
		}
	}
	if p.Setup.Has(lab.Web) {
		add(n(12, 30), func() error { return browse(p, p.Visitors[p.Rand.IntN(len(p.Visitors))]) })
		add(n(1, 2), func() error { return scan(p) })
	}
	if p.Setup.Has(lab.Mail) {
		add(n(4, 12), func() error { return letters(p) })
	}
	add(n(1, 2), func() error { return admin(p) })
	if p.Rand.IntN(2) == 0 || share == 1 {
		add(1, func() error { return colleague(p) })
	}
	if p.Setup.Has(lab.FTP) && len(p.Staff) > 1 {
		add(1, func() error { return ftpWork(p) })
	}
	add(n(3, 9), func() error { return guess(p) })
	sort.SliceStable(list, func(i, j int) bool { return list[i].at < list[j].at })
	return list
}

// calm is a day without anybody who guesses or scans.
func calm(p *lab.Play, days int) error {
	p.Truth.MustNot.Addresses = append([]string{}, p.Truth.MustNot.Addresses...)
	guessers, scanners := p.Guessers, p.Scanners
	p.Guessers, p.Scanners = nil, nil
	err := life(p, days)
	p.Guessers, p.Scanners = guessers, scanners
	return err
}

func browse(p *lab.Play, who lab.Person) error {
	ref := ""
	for _, path := range site.Ordinary[:3+p.Rand.IntN(len(site.Ordinary)-2)] {
		if _, err := p.Stage.HTTP(p.Ctx, lab.Request{From: who.Address, Path: path, Agent: who.Agent, Referer: ref}); err != nil {
			return err
		}
		ref = "http://" + p.Host + "." + p.Domain + "/"
		if err := p.Pause(0.7); err != nil {
			return err
		}
	}
	return nil
}

var probes = []string{"/wp-login.php", "/xmlrpc.php", "/.env", "/admin/", "/phpmyadmin/index.php", "/.git/config", "/backup.zip", "/shell.php", "/cgi-bin/test.cgi", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
	"/index.html?page=../../../../etc/passwd", "/gallery.php?cmd=id", "/manager/html", "/actuator/env", "/robots.txt", "/uploads/shell.php", "/solr/admin/info/system", "/server-status", "/config.php.bak", "/db.sql"}

// scan asks for what is not there.
func scan(p *lab.Play) error {
	if len(p.Scanners) == 0 {
		return nil
	}
	who := p.Scanners[p.Rand.IntN(len(p.Scanners))]
	return p.Act("web_scan", lab.Noise, "", who.Address, "asks for things that are not there", func() error {
		for range 4 + p.Rand.IntN(12) {
			path := probes[p.Rand.IntN(len(probes))]
			if len(p.Setup.Pages) > 0 && (path == "/wp-login.php" || path == "/cgi-bin/test.cgi") {
				continue
			}
			if _, err := p.Stage.HTTP(p.Ctx, lab.Request{From: who.Address, Path: path, Agent: who.Agent}); err != nil {
				return err
			}
			if err := p.Pause(0.2); err != nil {
				return err
			}
		}
		return nil
	})
}

func letters(p *lab.Play) error {
	who := p.Staff[p.Rand.IntN(len(p.Staff))]
	m := lab.Submission{From: who.Address, Account: who.Account, Password: who.Password, Sender: who.Account + "@" + p.Domain, Recipients: []string{lab.Pick(p, "office", "friend", "shop", "club") + "@example.net"}}
	if p.Rand.IntN(2) == 0 {
		m = lab.Submission{From: netip.MustParseAddr("192.0.2.5"), Sender: lab.Pick(p, "news", "office", "shop") + "@example.net", Recipients: []string{who.Account + "@" + p.Host}}
		if !p.Stage.Written() {
			m.From = p.Visitors[0].Address
		}
	}
	return p.Stage.Submit(p.Ctx, m)
}

var chores = [][]string{
	{"uptime", "df -h", "exit"}, {"w", "sudo tail -3 /var/log/auth.log"}, {"sudo systemctl reload cron", "uptime"}, {"sudo apt-get update", "sudo apt-get -y upgrade"}, {"last -5", "df -h"},
	{"sudo ls -l /etc/cron.d", "free"}, {"sudo -i", "ls -la /root", "tail -20 /var/log/syslog", "exit"},
}

// admin is a visit of the administrator, by key.
func admin(p *lab.Play) error {
	lines := chores[p.Rand.IntN(len(chores))]
	if n := len(lines); lines[n-1] == "exit" && lines[0] != "sudo -i" {
		lines = lines[:n-1]
	}
	return p.Visit(lab.Admin, "logs in by key and looks after the server", lab.Login{From: p.Admin.Address, Account: p.Admin.Account, Key: p.Admin.Key}, lines...)
}

// colleague is a visit by password, mistyped once in a while.
func colleague(p *lab.Play) error {
	who := p.Staff[p.Rand.IntN(len(p.Staff))]
	for who.Password == "" { // keys alone
		who = p.Staff[p.Rand.IntN(len(p.Staff))]
	}
	if p.Rand.IntN(3) == 0 {
		if err := p.Refused(lab.Visitor, who.Address, who.Account, who.Password+"1"); err != nil {
			return err
		}
	}
	return p.Visit(lab.Visitor, "logs in by password and works", lab.Login{From: who.Address, Account: who.Account, Password: who.Password}, "ls", lab.Pick(p, "mkdir -p notes", "touch todo.txt", "echo call the printer >> todo.txt"))
}

// ftpWork brings a picture for the site.
func ftpWork(p *lab.Play) error {
	who := p.Staff[1]
	return p.Act("ftp_upload", lab.Visitor, who.Account, who.Address, "brings a picture", func() error {
		return p.Stage.FTP(p.Ctx, lab.Transfer{From: who.Address, Account: who.Account, Password: who.Password, Path: fmt.Sprintf("/home/%s/photo%d.jpg", who.Account, p.Rand.IntN(900)), Data: []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00" + p.Domain)})
	})
}

var guessed = []string{"root", "admin", "test", "oracle", "ubuntu", "postgres", "git", "user", "ftpuser", "pi", "support", "guest"}

// guess is somebody of the Internet who tries a few passwords.
func guess(p *lab.Play) error {
	if len(p.Guessers) == 0 {
		return nil
	}
	from := p.Guessers[p.Rand.IntN(len(p.Guessers))]
	tries := 1 + p.Rand.IntN(9)
	if !p.Stage.Written() {
		tries = 1 + p.Rand.IntN(2)
	}
	for range tries {
		account := guessed[p.Rand.IntN(len(guessed))]
		if p.Rand.IntN(8) == 0 {
			account = p.Staff[p.Rand.IntN(len(p.Staff))].Account
		}
		if err := p.Refused(lab.Noise, from, account, lab.Pick(p, account, "123456", "password", "admin", "1234", account+"123", "qwerty")); err != nil {
			return err
		}
	}
	return nil
}
