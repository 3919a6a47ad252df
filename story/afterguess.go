package story

import (
	"fmt"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// Programs guess passwords and log in for a moment to see that they are right; people come later, from elsewhere, and use them.
const (
	checkedBriefly = 2 * time.Minute     // no session of the guesser's was longer
	usedSince      = 14 * 24 * time.Hour // behind the guess
)

// byGuessed follows a guessed password to who used it from another address: the account had never come from there, and in the session an account was made, or something
// was put there that is bad in itself. From the account so made he may come from anywhere. An owner on a journey does neither, as a rule; that he comes from a new address alone says nothing.
func (b *builder) byGuessed() {
	for _, g := range b.by[detect.GuessedIn] {
		s := b.suspects[g.Source]
		if s == nil || !s.strong || g.Access == nil || !shellService(g.Service) || g.Access.Longest < 0 || g.Access.Longest > checkedBriefly {
			continue
		}
		for _, l := range b.logins() {
			if l.Account != g.Account || !b.strangeAfter(g, l) {
				continue
			}
			what := b.setUpIn(l)
			if what == nil {
				continue
			}
			text := fmt.Sprintf("%s logged in as %s %s, from where the account had never come, with the password that %s had guessed %s, and in that session this was done: %s.", l.Source, l.Account, clock(l.First), g.Source, clock(g.First), utf8(what.Title))
			b.effect = ids(append(b.effect, b.add(l.Source, b.claim(text, evidence.Effect, l.First, Likely, append(append([]evidence.Quote{}, l.For...), what.For...), nil), false).why...)...)
			b.madeThere(l, g)
		}
	}
}

// strangeAfter tells a login by password behind a guess, by nobody who is known.
func (b *builder) strangeAfter(g, l *detect.Finding) bool {
	d := l.First.Sub(g.First)
	return l.Method == "password" && shellService(l.Service) && l.Access != nil && l.Access.NewAddress && b.suspects[l.Source] == nil && b.origin(l.Source) == "external" && !sameNet(l.Source, g.Source) && d > 0 && d <= usedSince
}

// setUpIn gives what was set up in a session that lets somebody come back.
func (b *builder) setUpIn(l *detect.Finding) *detect.Finding {
	for _, w := range []detect.What{detect.AccountMade, detect.Persistence, detect.OddFile} {
		for _, f := range b.by[w] {
			made := w == detect.AccountMade && f.Mechanism == "account-created"
			if f.Explained == "" && len(f.For) > 0 && (made || w != detect.AccountMade && f.Level >= detect.High) && during(l, f) {
				return f
			}
		}
	}
	return nil
}

// madeThere suspects who logged in as an account that was made in a session.
func (b *builder) madeThere(l, g *detect.Finding) {
	for _, m := range b.by[detect.AccountMade] {
		if m.Mechanism != "account-created" || m.Account == "" || !during(l, m) {
			continue
		}
		for _, y := range b.logins() {
			if d := y.First.Sub(m.First); y.Account == m.Account && b.suspects[y.Source] == nil && b.origin(y.Source) == "external" && d >= 0 && d <= usedSince {
				text := fmt.Sprintf("%s logged in as %s %s, an account that was made with the password of %s, which had been guessed.", y.Source, y.Account, clock(y.First), g.Account)
				b.add(y.Source, b.claim(text, evidence.Accepted, y.First, Likely, append(append([]evidence.Quote{}, y.For...), m.For...), nil), false)
			}
		}
	}
}
