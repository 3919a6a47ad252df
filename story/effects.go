package story

import (
	"cmp"
	"fmt"
	"sort"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

func sortBy[T any](s []T, less func(a, b T) bool) {
	sort.SliceStable(s, func(i, j int) bool { return less(s[i], s[j]) })
}

// effects tells what the intruder did: each finding is his if it happened in his sessions and his rights
// allow it, or suspicious if it is bad in itself; all else is nobody's fault.
func (b *builder) effects() {
	b.rights()
	for _, p := range b.by[detect.Persistence] {
		b.persists(p)
	}
	for _, w := range []detect.What{detect.OddFile, detect.Timestomped, detect.AccountMade, detect.AccountOdd, detect.Command} {
		for _, f := range b.by[w] {
			b.did(f)
		}
	}
	b.ransomed()
	b.scripts()
	b.tampering()
	b.programs()
	b.processes()
	b.hides()
	b.filters()
	b.mail()
	b.scans()
	b.scannedBy()
	sortBy(b.s.Actions, func(x, y Action) bool { return x.Time < y.Time })
}

// rights finds whether the intruder became root.
func (b *builder) rights() {
	for _, s := range b.ordered() {
		for _, l := range s.logins {
			if l.Account == "root" && shellService(l.Service) {
				b.becameRoot(b.claim(fmt.Sprintf("%s logged in as root %s.", s.source, clock(l.First)), evidence.Accepted, l.First, Confirmed, l.For, nil))
			}
		}
		for _, r := range b.by[detect.BecameRoot] {
			if !s.actsAs(r.Account) || !b.within(s, r) {
				continue
			}
			text := fmt.Sprintf("%s ran as %s by %s %s: %s", r.Account, r.As, r.Service, clock(r.First), r.Runs)
			if r.Runs == "" {
				text = fmt.Sprintf("%s became %s by %s %s.", r.Account, r.As, r.Service, clock(r.First))
			}
			id := b.claim(text, evidence.Effect, r.First, Confirmed, r.For, nil)
			if _, l := detect.SuspiciousCommand(r.Runs); s.strong || l >= detect.High || !s.doubted && !maintains(r.Runs) { // who only mistyped his password works on his server, too
				b.effect = ids(append(b.effect, id)...)
			}
			b.told[r] = id
			what := "ran a command as " + r.As + ": " + r.Runs
			if r.Runs == "" {
				what = "became " + r.As + " by " + r.Service
			}
			b.action(what, first(r.Attack), r.First, r.Account, "", id)
			if r.As == "root" {
				b.becameRoot(id)
			}
		}
		b.rootByMail(s)
	}
}

func (b *builder) becameRoot(id string) {
	b.root = true
	if b.rootSign == "" {
		b.rootSign = id
	}
}

func (b *builder) action(what, attack string, at evidence.Time, account, p string, claims ...string) {
	b.s.Actions = append(b.s.Actions, Action{What: utf8(what), Attack: attack, Time: at.String(), Account: utf8(account), Path: utf8(p), Claims: ids(claims...)})
}

// whose tells to whom a finding belongs, in words, and how sure that is. "" means to nobody who is suspected.
func (b *builder) whose(f *detect.Finding) (s *suspect, words string, st Status) {
	s, shared := b.actor(f)
	switch {
	case s == nil:
		return nil, "", ""
	case shared:
		return s, "while " + s.source + " was logged in, though another administrator was too", Possible
	case s.strong:
		return s, "in the session of " + s.source, Confirmed
	}
	return s, "in the session of " + s.source, Likely
}

// persists judges one thing that starts by itself or lets somebody in.
func (b *builder) persists(p *detect.Finding) {
	s, words, st := b.whose(p)
	key := p.Mechanism == "ssh-key"
	if key {
		if p.Level < detect.High && !b.keys[p.Key] {
			return
		}
		if b.keys[p.Key] && s == nil {
			st, words = Likely, "the intruder used it"
		}
	}
	since := p.Last // of a file that holds more than this, the last change is when it may have come
	if !key && p.First.Known() {
		since = p.First
	}
	if p.Package != "" && p.Level < detect.High && !(s != nil && p.Mechanism == "startup-file") {
		return // as its package ships it, or edited by an administrator: told by package checks
	}
	switch {
	case s == nil && p.Level < detect.High && !b.keys[p.Key]:
		return
	case s == nil && words == "":
		st = Likely
		if p.Level >= detect.Critical {
			st = Confirmed
		}
	case s != nil && st == Possible && p.Level < detect.Medium:
		return
	case s != nil && p.Mechanism == "startup-file" && p.Level < detect.Medium && !b.changedBy(s, p):
		return
	case s != nil && p.Mechanism == "sudoers" && !b.changedBy(s, p):
		return
	}
	text := fmt.Sprintf("%s in %s lets %s run: %s", upper(names(p.Mechanism)), p.Path, p.As, p.Runs)
	if key {
		text = fmt.Sprintf("The key %s in %s lets its owner log in as %s (comment %q)", p.Key, p.Path, p.As, p.Detail)
	}
	if words != "" {
		text += fmt.Sprintf("; the file changed %s, %s", clock(since), words)
	}
	if p.Level >= detect.Medium && p.Detail != "" && !key {
		text += "; it " + p.Detail
	}
	text += "."
	id := b.claim(text, evidence.Effect, since, st, p.For, nil)
	b.told[p] = id
	b.proves(s, p, id)
	b.stays(Persistence{Mechanism: p.Mechanism, Path: utf8(p.Path), Runs: utf8(p.Runs), As: utf8(p.As), Since: since.String(), OwnedByPackage: p.Package != "", Attack: first(p.Attack), Claims: ids(id)})
	if s != nil {
		b.action("left "+names(p.Mechanism)+" behind", first(p.Attack), since, p.As, p.Path, id)
	}
}

// changedBy tells whether a file's last change, not only its birth, lies in a suspect's sessions.
func (b *builder) changedBy(s *suspect, p *detect.Finding) bool {
	for _, x := range s.spans {
		if p.Last.Known() && !p.Last.Before(x.from) && !p.Last.After(x.to) {
			return true
		}
	}
	return false
}

// names gives a mechanism in words.
func names(mechanism string) string { return detect.MechanismOf(mechanism).Words }

// did tells other things that happened in a suspect's session, and those that are bad in themselves.
func (b *builder) did(f *detect.Finding) {
	if f.What == detect.OddFile && f.Explained != "" {
		return
	}
	s, words, st := b.whose(f)
	if f.What == detect.Command && (f.Mechanism == "cron-ran" || f.Mechanism == "cron") {
		if f.Level < detect.High && s == nil || f.Mechanism == "cron-ran" && f.Level < detect.High {
			return
		}
	}
	if f.What == detect.Command && !f.First.Known() {
		b.undated(f)
		return
	}
	if s == nil && f.Level < detect.High || st == Possible && f.Level < detect.Medium {
		return
	}
	if s == nil && f.What == detect.AccountMade {
		return
	}
	if s == nil && f.What == detect.OddFile && f.Level < detect.Critical {
		st = Possible
	}
	if st == "" {
		st = Likely
	}
	text := f.Title
	if f.What == detect.Timestomped {
		text = fmt.Sprintf("The times of %s were set back: %s.", f.Path, f.Detail)
	}
	if words != "" {
		text += " (" + words + ")"
	}
	id := b.claim(text, f.Rung, f.First, st, f.For, f.Against)
	b.told[f] = id
	b.keepsAccount(f, id)
	if s == nil {
		return
	}
	b.proves(s, f, id)
	switch f.What {
	case detect.Timestomped:
		b.s.Altered = append(b.s.Altered, Altered{Path: utf8(f.Path), Kind: "timestomped", Expected: "written no earlier than " + f.First.String(), Found: f.Detail, Claims: ids(id)})
		b.action("set a file's times back", "T1070.006", f.Last, f.Account, f.Path, id)
	default:
		p, by := f.Path, f.Account
		switch f.What { // whose account is the one that it was done to
		case detect.AccountMade:
			p, by = "", f.As // the path is a group's name
		case detect.AccountOdd:
			by = ""
		}
		b.action(f.Title, first(f.Attack), f.First, by, p, id)
	}
}

// keepsAccount tells an account of the intruder's that is still there: it is a way to come back.
func (b *builder) keepsAccount(f *detect.Finding, id string) {
	made := f.What == detect.AccountMade && f.Mechanism == "account-created"
	if !made && f.What != detect.AccountOdd || f.What == detect.AccountOdd && f.As != "0" {
		return
	}
	found := false
	for _, u := range b.set.Users {
		found = found || u.Name == f.Account
	}
	if !found {
		return
	}
	for i := range b.s.Persistence {
		if p := &b.s.Persistence[i]; p.Mechanism == "account" && p.As == utf8(f.Account) {
			p.Claims = ids(append(p.Claims, id)...)
			return
		}
	}
	since := f.First
	for _, m := range b.by[detect.AccountMade] {
		if m.Account == f.Account && m.Mechanism == "account-created" {
			since = m.First // the file's own time is that of its last change
		}
	}
	b.s.Persistence = append(b.s.Persistence, Persistence{Mechanism: "account", Path: "/etc/passwd", Runs: "a login", As: utf8(f.Account), Since: since.String(), Attack: "T1136.001", Claims: ids(id)})
}

// undated gives a command of a history without times to the suspect who used that account by password or key, if all its
// shell sessions that are told of were a suspect's.
func (b *builder) undated(f *detect.Finding) {
	if f.Level < detect.Medium && f.Mechanism != "recon" {
		return
	}
	var s *suspect
	others := false
	for _, l := range b.logins() {
		if l.Account != f.Account {
			continue
		}
		if x := b.suspects[l.Source]; x != nil {
			s = x
		} else {
			others = true
		}
	}
	if s == nil {
		return
	}
	st := Likely
	if others {
		st = Possible
	}
	id := b.claim(fmt.Sprintf("The history of %s holds: %s%s.", f.Account, f.Runs, detail(f)), evidence.Effect, f.First, st, f.For, nil)
	b.told[f] = id
	b.action(strings.TrimSuffix("typed: "+f.Runs, "; "), first(f.Attack), f.First, f.Account, f.Path, id)
	if f.Level >= detect.High && !others && (!s.doubted || foreign([]*detect.Finding{f})) {
		b.proves(s, f, id)
	}
}

// scripts tells the intruder's scripts on the web server.
func (b *builder) scripts() {
	for _, w := range []detect.What{detect.WebUpload, detect.WebScript} {
		for _, f := range b.by[w] {
			if f.Level < detect.High {
				b.besideScript(f)
				continue
			}
			b.script(f)
		}
	}
	for _, f := range b.by[detect.WebExecution] {
		s := b.suspects[f.Source]
		if s == nil && f.Source == "" && f.Level >= detect.High { // a child's words name no client: the time must fit
			for _, x := range b.ordered() {
				if x.web && (b.within(x, f) || f.First.Step > 1e9) {
					s = x
				}
			}
		}
		if s == nil {
			continue
		}
		id := b.claim(fmt.Sprintf("Children of the web server wrote to its error log what only shell commands write, the first: %q.", f.Detail), evidence.Effect, f.First, Likely, f.For, nil)
		b.effect = ids(append(b.effect, id)...)
		when := f.First
		if s.first().Known() && when.Before(s.first()) && s.first().Sub(when) <= when.Step { // such a line has no time of its own: it lies within the step behind the one before
			when = s.first()
		}
		b.action("ran shell commands through the web server", "T1059.004", when, "", "", id)
	}
}

// script tells one of them, or a page that was changed.
func (b *builder) script(f *detect.Finding) {
	subject := "The script "
	if f.Mechanism == "page" || f.Mechanism == "defaced" {
		subject = "The page "
	}
	id := b.claim(fmt.Sprintf("%s%s is an intruder's: %s.", subject, f.Path, f.Detail), f.Rung, f.First, webStatus(f), f.For, f.Against)
	b.told[f] = id
	if f.Rung >= evidence.Effect {
		b.effect = ids(append(b.effect, id)...)
	}
	if f.Mechanism == "defaced" {
		b.defaced(f, id)
		return
	}
	if f.Mechanism == "page" {
		b.action("turned a page against its visitors", first(f.Attack), f.First, f.Account, f.Path, id)
		return
	}
	b.action("put a script on the web server", "T1505.003", f.First, f.Account, f.Path, id)
	b.s.Persistence = append(b.s.Persistence, Persistence{Mechanism: "web-shell", Path: utf8(f.Path), Runs: "on request", As: utf8(b.runsAs(f)), Since: f.First.String(), Attack: "T1505.003", Claims: ids(id)})
}

// runsAs gives the account that runs a script: that of what it made, else the web server's.
func (b *builder) runsAs(f *detect.Finding) string {
	if f.As != "" || webAccount(f.Account) {
		return cmp.Or(f.As, f.Account)
	}
	for _, u := range b.set.Users {
		if webAccount(u.Name) {
			return u.Name
		}
	}
	return f.Account
}

// besideScript tells a script that is not suspicious enough by itself, and was born below the web root as the web server's account
// while an intruder acted as that account.
func (b *builder) besideScript(f *detect.Finding) {
	s, _ := b.actor(&detect.Finding{What: f.What, Account: f.Account, First: f.First})
	if s == nil || !s.web || f.Rung < evidence.Effect || !webAccount(f.Account) {
		return
	}
	id := b.claim(fmt.Sprintf("The script %s came while %s acted as %s: %s.", f.Path, s.source, f.Account, f.Detail), f.Rung, f.First, Likely, f.For, f.Against)
	b.told[f] = id
	b.effect = ids(append(b.effect, id)...)
	b.action("put a script beside it", "T1105", f.First, f.Account, f.Path, id)
}

// mail tells runs of mail. One is spam only if an intruder had the submitter's account then, or if an account
// that no person uses sent it; else it is a newsletter until somebody says otherwise.
func (b *builder) mail() {
	for _, f := range b.by[detect.MailRun] {
		if f.Level < detect.Medium {
			continue
		}
		var s *suspect
		for _, x := range b.ordered() {
			for _, sp := range x.spans {
				if sp.account == f.Account && overlaps(sp, f) {
					s = x
				}
			}
			if x.web && webAccount(f.Account) && !f.Last.Before(x.first()) {
				s = x
			}
		}
		count, from := sent(f, s)
		st, text := Possible, fmt.Sprintf("%s handed in %d mails from %s to %s (%s).", f.Account, f.Count, clock(f.First), clock(f.Last), f.Detail)
		if s != nil {
			st = Confirmed
			text = fmt.Sprintf("The account %s, which %s had in hand, handed in %d mails from %s to %s (%s).", f.Account, s.source, count, clock(from), clock(f.Last), f.Detail)
		}
		if s == nil && !webAccount(f.Account) && f.Mechanism != "sasl" {
			continue
		}
		id := b.claim(text, f.Rung, f.First, st, f.For, nil)
		b.told[f] = id
		if s == nil {
			b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: "a run of mail alone is no break-in: a web application's newsletter looks the same. If nobody sent one, look at what that account runs"})
			continue
		}
		if !sentByDoubted(s) {
			b.proves(s, f, id)
		}
		b.s.Impact = append(b.s.Impact, Impact{What: "spam", Detail: utf8(f.Detail), Count: count, First: from.String(), Last: f.Last.String(), By: utf8(f.Account), Claims: ids(id)})
		b.action(fmt.Sprintf("sent %d mails", count), "T1534", from, f.Account, "", id)
	}
}

// scans tells that this server reached out to many others. The account that did, where the firewall tells it, leads to who had it in hand.
func (b *builder) scans() {
	for _, f := range b.by[detect.Scanner] {
		if f.Level < detect.Medium {
			continue
		}
		var s *suspect
		for _, x := range b.ordered() {
			for _, sp := range x.spans {
				if overlaps(sp, f) && (f.Account == sp.account || f.Account == "") {
					s = x
				}
			}
		}
		if f.Pid != "" {
			b.callsOut(f, s)
			continue
		}
		st, text := Possible, fmt.Sprintf("%s from %s to %s: %s.", upper(f.Title), clock(f.First), clock(f.Last), f.Detail)
		if s != nil && f.Account != "" {
			st = Confirmed
			text = fmt.Sprintf("The account %s, which %s had in hand, reached out to others from %s to %s: %s.", f.Account, s.source, clock(f.First), clock(f.Last), f.Detail)
		} else if s != nil {
			st = Likely
		}
		id := b.claim(text, f.Rung, f.First, st, f.For, nil)
		b.told[f] = id
		if s == nil {
			continue
		}
		b.effect = ids(append(b.effect, id)...)
		b.s.Impact = append(b.s.Impact, Impact{What: f.Mechanism, Detail: utf8(f.Detail), Count: f.Count, First: f.First.String(), Last: f.Last.String(), By: utf8(f.Account), Claims: ids(id)})
		b.action("reached out to many machines: "+f.Detail, first(f.Attack), f.First, f.Account, "", id)
	}
}

// sent counts the mails of a run since a suspect had the account in hand: what came before is the site's own.
func sent(f *detect.Finding, s *suspect) (n int64, from evidence.Time) {
	if s == nil {
		return f.Count, f.First
	}
	n = f.Count // the times are those of the first mails: whether they are all of them or not, what came before is among them
	for _, t := range f.When {
		if t.Before(s.first()) {
			n--
		} else {
			from = evidence.Min(from, t)
		}
	}
	if !from.Known() {
		from = evidence.Max(f.First, s.first())
	}
	return n, from
}

func overlaps(s span, f *detect.Finding) bool {
	return !f.Last.Before(s.from) && !f.First.After(s.to)
}

func webAccount(a string) bool {
	switch a {
	case "www-data", "apache", "nginx", "httpd", "wwwrun", "http", "lighttpd", "www",
		"tomcat", "tomcat7", "tomcat8", "tomcat9", "tomcat10", "jetty", "jboss", "wildfly":
		return true
	}
	return false
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
