package story

import (
	"fmt"
	"slices"
	"time"

	"telltale/detect"
)

// verdict answers whether the server was entered, no stronger than the evidence.
func (b *builder) verdict() {
	v := &b.s.Verdict
	strong := false
	for _, w := range b.entered {
		strong = strong || w.status == Confirmed
	}
	signs := b.unexplained()
	if len(signs) > 0 && !b.effective() && (b.onlyDoubted() && !b.madeItRun() || !strong && !b.cameWith()) { // what is bad in itself stays so beside a login that may have been its owner's
		b.letGo()
	}
	switch {
	case len(b.entered) > 0 && strong:
		v.Status, v.Confidence = Compromised, Confirmed
	case len(b.entered) > 0 && b.effective():
		v.Status, v.Confidence = Compromised, Likely
	case len(b.entered) > 0 && len(signs) > 0: // a way that is likely, and soon behind it what is bad in itself
		v.Status, v.Confidence = Compromised, signs[0].status
		if b.rootOdd != "" {
			b.becameRoot(b.rootOdd)
		}
	case len(b.entered) > 0:
		v.Status, v.Confidence = string(CannotTell), Possible
	case len(signs) > 0:
		v.Status, v.Confidence = Compromised, signs[0].status
		if b.rootOdd != "" {
			b.becameRoot(b.rootOdd)
		}
		b.s.Entry = append(b.s.Entry, Entry{Vector: "unknown", Status: CannotTell, Sources: []string{}, CVE: []string{}, Claims: ids(signs[0].claim)})
	case len(b.changedPrograms()) > 0, len(b.odd()) > 0:
		v.Status, v.Confidence = string(CannotTell), Possible
	case b.wasAttacked() && b.complete() == "":
		v.Status, v.Confidence = Attacked, Confirmed
	case b.complete() == "":
		v.Status, v.Confidence = Clean, Likely
	default:
		v.Status, v.Confidence = string(CannotTell), Possible
	}
	if v.Status == Compromised {
		b.setuidLeft()
		b.rootByTraces()
	}
	if v.Status == Compromised && b.root {
		yes := true
		v.Root = &yes
	}
	if v.Status != Compromised {
		b.acquit()
	}
	v.Summary = b.summary()
}

// letGo takes back the ways in, which stay possible among those that are weighed.
func (b *builder) letGo() {
	b.entered, b.s.Entry, b.s.Actors = nil, []Entry{}, []Actor{}
	for i := range b.s.Hypotheses {
		if h := &b.s.Hypotheses[i]; order(h.Status) < order(Possible) {
			h.Status = Possible
		}
	}
	b.rank()
}

// madeItRun tells whether one of those who got in had a database run what hardly anybody runs: that was no owner who mistyped.
func (b *builder) madeItRun() bool {
	for _, w := range b.entered {
		for _, f := range b.by[detect.DatabaseDid] {
			if f.Level >= detect.High && f.Source != "" && contains(w.sources, f.Source) {
				return true
			}
		}
	}
	return false
}

// cameWith tells whether something bad in itself came soon behind a way in that is likely.
func (b *builder) cameWith() bool {
	for _, w := range b.entered {
		for _, f := range b.badByThemselves() {
			if d := f.First.Sub(w.first); w.first.Known() && f.First.Known() && d >= -grace && d <= oneAct {
				return true
			}
		}
	}
	return false
}

// effective tells whether one of the effects was seen on this host itself.
func (b *builder) effective() bool {
	for i := range b.s.Claims {
		if c := &b.s.Claims[i]; (c.Rung == "c" || c.Rung == "d") && contains(b.effect, c.ID) {
			return true
		}
	}
	return false
}

// acquit takes back what would be held against somebody without a compromise: what was seen stays in the claims, the
// findings and the ways that were weighed.
func (b *builder) acquit() {
	b.s.Entry, b.s.Actors, b.s.Actions, b.s.Persistence, b.s.Impact = []Entry{}, []Actor{}, []Action{}, []Persistence{}, []Impact{}
	differ := b.changedPrograms() // that a program is not its package's is so, whoever did it
	b.s.Altered = slices.DeleteFunc(b.s.Altered, func(a Altered) bool { return a.Kind != string(detect.PackageDiff) || !contains(differ, a.Path) })
	for i := range b.s.Hypotheses {
		if h := &b.s.Hypotheses[i]; h.Status == Confirmed || h.Status == Likely {
			h.Status = Possible
		}
	}
}

// aroundSigns tells whether a log was tampered with within an hour of something that is bad in itself.
func (b *builder) aroundSigns(f *detect.Finding) bool {
	for _, e := range b.badByThemselves() {
		if d := f.First.Sub(e.First); f.First.Known() && d > -time.Hour && d < time.Hour {
			return true
		}
	}
	return false
}

// wasAttacked tells whether somebody tried: typing errors of people who are let in are no attack.
func (b *builder) wasAttacked() bool {
	for _, f := range b.by[detect.Guessing] {
		if f.Source == "" && f.Count >= 10 {
			return true
		}
		if f.Source != "" && !b.entitled(f.Source) && !b.familiar(f) && !b.binds(f) {
			return true
		}
	}
	for _, f := range b.by[detect.Exploit] {
		if !ownFault(f) {
			return true
		}
	}
	return b.triedWeb() || len(b.by[detect.WebScan])+len(b.by[detect.PortScan]) > 0
}

// familiar tells tries of a person who mistypes: few, for one account, from a network that this account comes from.
func (b *builder) familiar(f *detect.Finding) bool {
	if f.Count > 8 || len(f.Accounts) != 1 {
		return false
	}
	for _, l := range b.by[detect.Login] {
		if l.Account == f.Accounts[0] && sameNet(l.Source, f.Source) {
			return true
		}
	}
	return false
}

// binds tells a program of the own networks that asks the directory with an old password, again and again: the directory's log never tells that somebody was let in, so that
// nothing shows that it was before.
func (b *builder) binds(f *detect.Finding) bool {
	return f.Service == "slapd" && len(f.Accounts) == 1 && b.origin(f.Source) == "internal"
}

func (b *builder) entitled(source string) bool {
	return b.loggedIn(source) && b.suspects[source] == nil
}

// unknowns says what the evidence cannot answer.
func (b *builder) unknowns() {
	add := func(s string) { b.s.Unknown = append(b.s.Unknown, s) }
	if b.set.Running && b.set.Dump {
		add("What a root-kit changed in the kernel's own code: what ran, " + clock(b.set.Taken) + ", was read from a dump of memory, whose lists were held against each other.")
	} else if b.set.Running && b.set.Asked != "" {
		add("Whether something was hidden when it ran: what ran, " + clock(b.set.Taken) + ", is known " + b.set.Asked + ", and no views of the machine were held against each other.")
	} else if b.set.Running {
		add("What a root-kit in the kernel hides from every view that was compared: what ran was asked of the machine itself, " + clock(b.set.Taken) + ".")
	} else {
		add("What runs now: memory and running processes are not in this evidence.")
	}
	for _, p := range b.set.NotEntered {
		add("What lies in " + p + ": it was not entered.")
	}
	if !b.set.Disk && !b.set.Running {
		add("Deleted files and the birth times of files: the evidence holds no filesystem.")
	} else if b.set.Remembers == "" {
		add("Deleted files: nothing that was read remembers them.")
	} else {
		add("Files that were deleted before " + b.set.Remembers + ": the filesystem's own memory goes no further back.")
	}
	if b.set.Dirty {
		add("The filesystem was not unmounted cleanly and its journal was not replayed: the last seconds before the image was taken may be missing.")
	}
	if !b.set.Remote && b.s.Verdict.Status == Compromised && b.root {
		add("Whether more was removed from the logs: who has root can edit every log on the server, and no remote copy was given (--remote-logs).")
	}
	if !b.set.Packages && b.set.Tree {
		add("Which files belong to packages: no package database that is understood was found.")
	}
	for _, a := range b.stolen {
		if b.s.Verdict.Status == Compromised {
			add("Where the password of " + a + " was stolen: nothing on this server can tell. Ask whether it is used elsewhere too, was typed where a mail asked for it, or lies on a computer that was broken into itself.")
		}
	}
	for _, h := range b.s.Hypotheses {
		if h.Status == CannotTell && (b.s.Verdict.Status == Compromised && len(b.entered) == 0) {
			add(fmt.Sprintf("Whether %s: %s.", wordsOf(h.Vector), h.Why))
		}
	}
}
