package story

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// longBefore is how long before a script's use its users have to have come from the same place: who has stolen a password uses it at once.
const longBefore = 24 * time.Hour

// ownPage tells whether a script that looks like an intruder's may be a tool of the people of this server: who was the first to use it, and who used it most, came from
// where an account had logged in a day and more before, and tried nothing else, and nobody who uses it attacked the site. Whoever sits at such a machine can be another,
// so that it stays odd, and its user is asked; but it accuses nobody, and the logins from there are no way in.
func (b *builder) ownPage(f *detect.Finding) bool {
	if len(f.Sources) == 0 || len(f.Sources) > maxOwnUsers {
		return false
	}
	account := b.atHome(f.Sources[0], f)
	if account == "" || b.atHome(f.Source, f) == "" || slices.ContainsFunc(f.Sources, func(ip string) bool { return b.attackedBesides(ip, f.Path) }) {
		return false
	}
	strangers := slices.DeleteFunc(slices.Clone(f.Sources), func(ip string) bool { return b.atHome(ip, f) != "" })
	if f.What == detect.WebUpload && len(strangers) > 0 {
		return false
	}
	if len(strangers) > 0 && neverOwn(f) { // whoever looks at an intruder's script before it is used is no reason to hold nobody for him
		f.Source = strangers[0]
		return false
	}
	b.own[f.Path] = true
	if f.Level < detect.Critical && len(strangers) == 0 {
		f.Level = detect.Medium
		return true
	}
	if f.What != detect.WebUpload || f.Mechanism == "web-admin" || !neverOwn(f) {
		f.Level = detect.High
	}
	f.Title = fmt.Sprintf("the script %s looks like an intruder's, and nobody asked for it but %s, from where %s had come long before", f.Path, list(f.Sources), utf8(account))
	if len(strangers) > 0 {
		f.Title = fmt.Sprintf("the script %s looks like an intruder's; it was used from %s, from where %s had come long before, and from %s, of which nothing else is known", f.Path, f.Sources[0], utf8(account), list(strangers))
	}
	return true
}

// neverOwn tells what nobody brings for himself by a form of his site that takes pictures: a web shell that says its name, and one that hides what it is told. It is an
// intruder's whoever shares the address.
func neverOwn(f *detect.Finding) bool {
	return strings.Contains(f.Detail, "it calls itself by the name of a known web shell") || strings.Contains(f.Detail, "it runs what a request carries encoded")
}

// usedFirst gives when somebody first used a script, or brought it.
func usedFirst(f *detect.Finding) evidence.Time {
	if f.What == detect.WebScript && len(f.When) > 0 { // when it was written nobody was seen to bring it
		return f.When[0]
	}
	return f.First
}

// atHome gives an account that came from an address long before somebody first used a script, where that address attacked nothing but it.
func (b *builder) atHome(ip string, f *detect.Finding) string {
	if b.attackedBesides(ip, f.Path) {
		return ""
	}
	return b.lodger(ip, usedFirst(f).Add(-longBefore))
}

// attackedBesides tells whether an address sent attacks to anything but a script: to try what a web shell runs looks like one.
func (b *builder) attackedBesides(ip, script string) bool {
	for _, f := range b.by[detect.WebAttack] {
		if !contains(f.Sources, ip) {
			continue
		}
		n := 0
		for _, t := range f.Tries {
			if t.Source != ip {
				continue
			}
			if n++; !namesFile(t.Quote.Text, script, path.Base(script)) {
				return true
			}
		}
		if n == 0 { // which are not told one by one
			return true
		}
	}
	return false
}

// maxOwnUsers is how many people use a tool of their own.
const maxOwnUsers = 3

// lodger gives an account of the server that was let in with its password or key from an address before a time, which nobody had guessed there. What a site's visitors open
// for themselves is none, and a place to which the account was new is whoever's has its password, until it has come from there on several days.
func (b *builder) lodger(ip string, before evidence.Time) string {
	for _, l := range b.by[detect.GuessedIn] {
		if l.Source == ip && b.guesser(l) {
			return ""
		}
	}
	for _, l := range b.logins() {
		if l.Source == ip && l.Account != "" && l.Method != "none" && l.Method != "anonymous" && before.Known() && l.First.Known() && l.First.Before(before) && ofServer(l.Service) && settled(l, before) {
			return l.Account
		}
	}
	return ""
}

// ofServer tells services that let in those who work on a server: a mailbox or an account of a site is a customer's.
func ofServer(service string) bool {
	c := event.ClassOf(service)
	return c == event.ShellService || c == event.PanelService || c == event.FileService
}

// settled tells a login from where its account had always come, or from where it had come on several days before a time.
func settled(l *detect.Finding, before evidence.Time) bool {
	if l.Access == nil || !l.Access.NewAddress {
		return true
	}
	days := map[int64]bool{}
	for _, s := range l.Access.Sessions {
		if s.Start.Known() && s.Start.Before(before) {
			days[s.Start.Sec/86400] = true
		}
	}
	return len(days) >= workdays
}
