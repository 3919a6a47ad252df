package story

import (
	"fmt"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// A mail program that has an old password is refused a few times before its owner mends it; then he may well write to his whole club.
const guessedMail = 10

// byWideMail finds who guessed a mailbox's password and at once wrote to very many people with few mails, from a network that its owner never came from: each of these
// alone is ordinary.
func (b *builder) byWideMail() {
	for _, g := range b.by[detect.GuessedIn] {
		if a := g.Access; a == nil || a.FailedHere+a.FailedAddress < guessedMail || !a.Unfamiliar() || b.origin(g.Source) != "external" || shellService(g.Service) || b.neighbours(g) {
			continue
		}
		for _, f := range b.by[detect.MailRun] {
			d := f.First.Sub(g.First)
			if f.Mechanism != "sasl" || f.Level != detect.Info || f.Source != g.Source || f.Account != g.Account || !toMany(f) || d < -grace || d > time.Hour {
				continue
			}
			f.Level = detect.High
			text := fmt.Sprintf("%s tried the password of %s until it was let in %s, and handed in %s: a guessed password, used for spam.", g.Source, g.Account, clock(g.First), f.Detail)
			b.add(g.Source, b.claim(text, evidence.Effect, f.First, Likely, append(append([]evidence.Quote{}, g.For...), f.For...), nil), false)
		}
	}
}
