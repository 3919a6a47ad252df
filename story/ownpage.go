package story

import (
	"fmt"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// longBefore is how long before a script's use its users have to have come from the same place: who has stolen a password uses it at once.
const longBefore = 24 * time.Hour

// ownPage tells whether a script that looks like an intruder's may be a tool of the people of this server: nobody else ever asked for it or brought it, each of them came from
// where an account had logged in a day and more before, and tried nothing else. Whoever sits at such a machine can be another, so that it stays odd, and its user is
// asked; but it accuses nobody, and the logins from there are no way in.
func (b *builder) ownPage(f *detect.Finding) bool {
	if len(f.Sources) == 0 || len(f.Sources) > maxOwnUsers {
		return false
	}
	used := f.First
	if f.What == detect.WebScript && len(f.When) > 0 { // when it was written nobody was seen to bring it
		used = f.When[0]
	}
	user := ""
	for _, ip := range ids(append([]string{f.Source}, f.Sources...)...) {
		account := b.lodger(ip, used.Add(-longBefore))
		if account == "" || b.attacked(ip) {
			return false
		}
		user = account
	}
	b.own[f.Path] = true
	if f.Level < detect.Critical {
		f.Level = detect.Medium
		return true
	}
	f.Level = detect.High
	f.Title = fmt.Sprintf("the script %s looks like an intruder's, and nobody asked for it but %s, from where %s had come long before", f.Path, list(f.Sources), utf8(user))
	return true
}

// maxOwnUsers is how many people use a tool of their own.
const maxOwnUsers = 3

// lodger gives an account that was let in with its password or key from an address before a time, which nobody had guessed there.
func (b *builder) lodger(ip string, before evidence.Time) string {
	for _, l := range b.by[detect.GuessedIn] {
		if l.Source == ip && b.guesser(l) {
			return ""
		}
	}
	for _, l := range b.logins() {
		if l.Source == ip && l.Account != "" && l.Method != "none" && l.Method != "anonymous" && before.Known() && l.First.Known() && l.First.Before(before) {
			return l.Account
		}
	}
	return ""
}
