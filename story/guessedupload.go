package story

import (
	"strings"

	"telltale/detect"
	"telltale/event"
)

// runsRequests are the words of what no ordinary script of a site does for its visitors (artifact/webscript).
var runsRequests = []string{"it runs what a request carries", "it mails what a request carries", "it writes files where a request tells it to", "it evaluates code that"}

// uploadedByGuessers makes scripts graver that came by ftp from an address whose tries were refused before it was let in, where they do what intruders' scripts do:
// each of the two alone happens to honest people, too.
func (b *builder) uploadedByGuessers() {
	for _, u := range b.by[detect.Upload] {
		if !b.guessedBy(u) {
			continue
		}
		for _, w := range []detect.What{detect.WebScript, detect.WebUpload} {
			for _, f := range b.by[w] {
				if f.Level == detect.Medium && sentAs(u.Path, f.Path) && hasAny(f.Detail, runsRequests) {
					f.Level = detect.High
					f.Detail += "; " + u.Source + " brought it by ftp, whose tries to log in had been refused often"
				}
			}
		}
	}
}

// guessedBy tells whether an upload's account was let in from its address after many tries, and before it.
func (b *builder) guessedBy(u *detect.Finding) bool {
	for _, g := range b.by[detect.GuessedIn] {
		if g.Source == u.Source && g.Account == u.Account && event.ClassOf(g.Service) == event.FileService && !u.First.Before(g.First.Add(-grace)) {
			return true
		}
	}
	return false
}

// sentAs tells whether a transfer's path, which may begin at the account's home, is a file's.
func sentAs(sent, file string) bool {
	return sent == file || strings.HasPrefix(sent, "/") && strings.HasSuffix(file, sent) && strings.Count(sent, "/") >= 2
}

func hasAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// uploadedShells gives the scripts that run what a request carries and came by ftp from where the account had not come before: too little to call a server broken
// into, for developers bring such tools, and too much to call it clean.
func (b *builder) uploadedShells() (out []*detect.Finding) {
	for _, u := range b.by[detect.Upload] {
		if event.ClassOf(u.Service) != event.FileService || b.own[u.Path] || b.cameFrom(u.Source, u.Account, u.First.Add(-grace)) {
			continue
		}
		for _, f := range b.by[detect.WebScript] {
			if f.Level == detect.Medium && sentAs(u.Path, f.Path) && strings.Contains(f.Detail, runsRequests[0]) && len(f.For) > 0 && !workedOn(u, f) {
				out = append(out, f)
			}
		}
	}
	return out
}
