package story

import (
	"time"

	"telltale/detect"
)

// Here is what keeps a suspicion from becoming an accusation: people forget passwords, programs try old ones for days, and offices have one address for all.

// A guesser of passwords tries that often, or one name that often beside others, or some names faster than anybody types; whoever looks for the right name or
// password of his own server does not.
const (
	guesserTries = 20
	oneNameTries = 15
	fastTries    = 3
	fastNames    = 3
	typesIn      = 4 * time.Second
	manyTries    = 100 // at least one each keepsOn: who types so long has given up before
	keepsOn      = 10 * time.Second
)

// peopleAt is how many accounts log in from an address that people share, each mistyping his own name.
const peopleAt = 3

// guesser tells whether what came before a login is beyond doubt the work of a guesser: many tries, and more than one name. A program that was given an old password
// tries one account again and again, for days.
func (b *builder) guesser(f *detect.Finding) bool {
	a := f.Access
	if f.Method == "record" { // which does not tell by what the login was
		return false
	}
	if a.FailedHere <= aFew && !(f.Account == "root" && a.FailedHere > 0) && behindTheTries(a) { // root is everybody's name: who tried it there goes on with it
		return false
	}
	if a.TriedAccounts > 1 && a.TriedInvalid == 0 && b.origin(f.Source) == "internal" && b.accountsFrom(f.Source) >= a.TriedAccounts {
		return false // a machine of one's own whose programs had old passwords: nobody guesses all that he tries
	}
	fast := f.Method == "password" && a.FailedAddress >= fastTries && a.TriedAccounts >= fastNames && byMachine(a.FailedAddress, a.Trying)
	root, here := f.Account == "root", a.FailedHere
	if f.Service == "pveproxy" { // whose log names nobody where it refuses
		root, here = f.Account == "root@pam", a.FailedAddress
	}
	if root && f.Method == "password" && here >= oneNameTries && byMachine(here, a.Trying) && a.Unfamiliar() && b.origin(f.Source) == "external" {
		return true // the one name that every server has, tried as by a machine, by nobody whom the server knew
	}
	return (a.TriedAccounts > 1 || a.TriedInvalid > 0) && (a.FailedAddress >= guesserTries || a.FailedHere >= oneNameTries || fast) && b.accountsFrom(f.Source) < peopleAt
}

// Who guesses tries one name after the other: what was let in so long behind the last of them, as many times the time between two, is no hit of theirs.
const (
	stillGuessing = 10 * time.Minute
	manySteps     = 20
)

// behindTheTries tells a login that came when the guessing from its address had long stopped, with a name that was hardly tried there: carriers, trains and hotels have one
// address for people and for guessers.
func behindTheTries(a *detect.Access) bool {
	others := a.FailedAddress - a.FailedHere
	if others < 2 || a.SinceTry <= stillGuessing {
		return false
	}
	step := (a.Trying - a.SinceTry) / time.Duration(others-1)
	return a.SinceTry > manySteps*step
}

// knownByGuessers tells whether an account had come from a login's network before only because others had guessed its password from there.
func (b *builder) knownByGuessers(f *detect.Finding) bool {
	found := false
	for _, l := range b.logins() {
		if l.Account != f.Account || !l.First.Before(f.First) || detect.Network(l.Source) != detect.Network(f.Source) {
			continue
		}
		if l.What != detect.GuessedIn || !b.guesser(l) {
			return false
		}
		found = true
	}
	return found
}

// byMachine tells whether so many tries within a time are more than anybody types.
func byMachine(tries int64, within time.Duration) bool {
	return within > 0 && (within/typesIn < time.Duration(tries) || tries >= manyTries && within/keepsOn < time.Duration(tries))
}

// accountsFrom counts the accounts that were let in from an address.
func (b *builder) accountsFrom(source string) int {
	var out []string
	for _, l := range b.logins() {
		if l.Source == source {
			out = ids(append(out, l.Account)...)
		}
	}
	return len(out)
}

// doubt suspects an address for what honest people do, too: only what is bad in itself proves it then.
func (b *builder) doubt(source, why string) {
	s := b.suspects[source]
	doubted := s == nil || s.doubted
	b.add(source, why, false).doubted = doubted
}

// proves adds to the effects what a suspect did; not what everybody does, where the suspicion is one that honest people raise, nor what cannot be laid to anybody.
func (b *builder) proves(s *suspect, f *detect.Finding, id string) {
	if s == nil || s.doubted && f.Level < detect.High {
		return
	}
	s.proved = true
	b.effect = ids(append(b.effect, id)...)
}

// unproved gives the addresses that are suspected for what honest people do, too, and for nothing that was found behind it, where somebody else is suspected for more: what
// that one did makes no intruders of the others.
func (b *builder) unproved() map[string]bool {
	out, others := map[string]bool{}, false
	for source, s := range b.suspects {
		if s.doubted && !s.proved {
			out[source] = true
		} else {
			others = true
		}
	}
	if !others {
		return nil
	}
	return out
}

// onlyDoubted tells whether all the ways in that were found are of addresses that did what honest people do, too.
func (b *builder) onlyDoubted() bool {
	for i := range b.entered {
		for _, ip := range b.entered[i].sources {
			if s := b.suspects[ip]; s == nil || !s.doubted {
				return false
			}
		}
		if l := b.entered[i].login; l == nil || l.What != detect.GuessedIn {
			return false
		}
	}
	return true
}
