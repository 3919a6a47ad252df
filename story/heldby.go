package story

import (
	"cmp"
	"fmt"

	"telltale/detect"
	"telltale/evidence"
)

// byGuesses holds accepted logins behind refused tries against where they came from.
func (b *builder) byGuesses() {
	for _, f := range b.by[detect.GuessedIn] {
		b.byGuess(f)
	}
}

func (b *builder) byGuess(f *detect.Finding) {
	a := f.Access
	refused := plural(max(a.FailedHere, a.FailedAddress), "refused try", "refused tries")
	text := fmt.Sprintf("The password of %s was guessed: %s for %s from %s, then the login was accepted %s.", f.Account,
		refused, tried(a), f.Source, clock(f.First))
	strong := b.guesser(f)
	if !strong && !a.Unfamiliar() && !b.knownByGuessers(f) {
		b.s.Innocent = append(b.s.Innocent, Innocent{What: fmt.Sprintf("%s before a login of %s from %s", refused, utf8(f.Account), f.Source),
			Why: "a password that was forgotten: one account, and the account had come from this network before"})
		return
	}
	if !strong && b.neighbours(f) {
		b.explain(fmt.Sprintf("%s before a login of %s from %s", refused, utf8(f.Account), f.Source),
			"a password that was mistyped, or tried by a program that had an old one: others had been let in from this address for days; ask "+utf8(f.Account))
		return
	}
	st := Confirmed
	if !strong {
		st = Likely
		text = fmt.Sprintf("%s for %s from %s, then %s was let in %s: a password that was guessed, or one that was mistyped.", upper(refused), tried(a), f.Source, f.Account, clock(f.First))
		f.Title = fmt.Sprintf("%s was let in from %s after %s", f.Account, f.Source, refused)
	}
	b.told[f] = b.claim(text, evidence.Accepted, f.First, st, f.For, f.Against)
	if strong {
		b.add(f.Source, b.told[f], true)
	} else {
		b.doubt(f.Source, b.told[f])
	}
}

// byEditing holds lines that are missing of an address which logged in against it.
func (b *builder) byEditing() {
	for _, f := range b.by[detect.LogEdited] {
		if b.loggedIn(f.Source) {
			text := fmt.Sprintf("%s missing from %s: all of them about %s. %s.", plural(f.Count, "line is", "lines are"), f.Path, f.Source, upper(f.Detail))
			b.add(f.Source, b.claim(text, f.Rung, f.First, Confirmed, f.For, f.Against), true)
		}
	}
}

// byScripts holds scripts that are not the site's against who put them there and who used them.
func (b *builder) byScripts() {
	for _, w := range []detect.What{detect.WebUpload, detect.WebScript} {
		for _, f := range b.by[w] {
			if f.Level < detect.High || f.Source == "" || b.ftpUpload(f.Path) != nil || b.sharedBy(f) != nil || b.ownPage(f) {
				continue
			}
			b.byScript(f)
		}
	}
}

func (b *builder) byScript(f *detect.Finding) {
	text := fmt.Sprintf("%s put the script %s on the server through the web (%s).", f.Source, f.Path, f.Detail)
	if f.What == detect.WebScript {
		text = fmt.Sprintf("%s used the script %s, which does not belong to the site (%s).", f.Source, f.Path, f.Detail)
	}
	s := b.add(f.Source, b.claim(text, f.Rung, f.First, webStatus(f), f.For, f.Against), f.Level == detect.Critical)
	b.web(s, f)
	if f.Level != detect.Critical {
		return
	}
	for _, other := range f.Sources { // who else used an intruder's script; its owner looks at what he found, too
		if other != f.Source && b.atHome(other, f) != "" {
			continue
		}
		why := "" // the one who put it there has his claim
		if other != f.Source {
			why = b.claim(fmt.Sprintf("%s asked for the script %s, which is an intruder's.", other, f.Path), evidence.Accepted, evidence.Time{}, Likely, naming(f.For, other), nil)
		}
		b.web(b.add(other, cmp.Or(why, b.ids[text]), len(f.Sources) <= 3), f)
	}
}

// byOrders holds shell commands that the web server ran against whose request made it.
func (b *builder) byOrders() {
	for _, f := range b.by[detect.WebExecution] {
		if f.Level >= detect.High && f.Source != "" && (b.suspects[f.Source] != nil || b.attacked(f.Source)) && b.answers(f) {
			text := fmt.Sprintf("A request of %s made the web server run shell commands: %q.", f.Source, f.Detail)
			b.web(b.add(f.Source, b.claim(text, evidence.Effect, f.First, Likely, f.For, f.Against), false), f)
		}
	}
}

// byWriting holds an intruder's script that came by ftp or a share against who wrote it.
func (b *builder) byWriting() {
	for _, f := range b.by[detect.Upload] {
		if w := b.badScript(f.Path); w != nil && b.ownTool(f, w) {
			b.own[f.Path], w.Level = true, detect.Medium
		} else if w != nil && !workedOn(f, w) {
			text := fmt.Sprintf("%s wrote %s by %s as %s %s; the file is an intruder's script (%s).", f.Source, f.Path, f.Service, f.Account, clock(f.First), w.Detail)
			s := b.add(f.Source, b.claim(text, evidence.Effect, f.First, Confirmed, append(append([]evidence.Quote{}, f.For...), w.For...), nil), true)
			s.account[f.Account] = true
			s.spans = append(s.spans, span{f.First, f.Last.Add(grace), f.Account, false})
			for _, user := range w.Sources { // who then used it
				if len(w.Sources) <= 3 {
					b.web(b.add(user, b.ids[text], user == f.Source), w)
				}
			}
		}
	}
}
