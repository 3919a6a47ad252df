package story

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// bySQL is the mechanism of a script that an injected SQL statement made the database write.
const bySQL = "sql-injection"

// webWay tells how a suspect came in through the web server. Who only used a script that another put there has
// no way in of his own.
func (b *builder) webWay(s *suspect, w way) (way, bool) {
	w.service = "web"
	for _, f := range b.by[detect.WebUpload] {
		if f.Level < detect.High || f.Source != s.source && !contains(f.Sources, s.source) {
			continue
		}
		if f.Source != s.source {
			return w, false
		}
		id := b.ids[fmt.Sprintf("The script %s is an intruder's: %s.", f.Path, f.Detail)]
		if w.vector == "" || f.First.Before(w.first) || f.First == w.first && f.Mechanism == bySQL {
			w.account, w.first, w.off = b.runsAs(f), f.First, b.errorOf(f)
			w.weigh("script-born", id)
			b.bornBy(f, &w)
		}
		w.last = evidence.Max(w.last, evidence.Max(f.First, f.Last))
		w.claims = ids(append(w.claims, id)...)
	}
	b.spoken(s, &w)
	if w.vector != "" {
		return w, true
	}
	return b.exploited(s, w), true
}

// spoken weighs that children of the web server spoke up while a suspect acted.
func (b *builder) spoken(s *suspect, w *way) {
	for _, f := range b.by[detect.WebExecution] {
		if f.Level >= detect.High && (f.Source == s.source || f.Source == "" && b.within(s, f)) {
			w.weigh("child-spoke", cmp.Or(b.told[f], first(s.why)))
		}
	}
}

// exploited tells a way in of which no upload is seen: a fault that ran commands, if the script is the web server's own or such requests came before. A script of
// another account was brought by another service, whose log is not here.
func (b *builder) exploited(s *suspect, w way) way {
	w.vector, w.cve = "web-exploit", s.cve
	for _, x := range s.spans {
		w.first, w.account = evidence.Min(w.first, x.from), x.account
	}
	w.last = w.first
	var owner *detect.Finding
	for _, f := range b.by[detect.WebScript] {
		if f.Source == s.source && f.Level >= detect.High {
			w.last, w.off = evidence.Max(w.last, f.Last), b.errorOf(f)
			if owner == nil || f.First.Before(owner.First) {
				owner = f
			}
		}
	}
	attacked := b.firstAttack(s.source, w.first)
	if attacked != w.first || s.attacked || b.ran(s.source) {
		w.weigh("attack-before", first(s.why))
	}
	w.first = attacked
	switch {
	case owner == nil:
	case webAccount(owner.Account):
		w.weigh("written-by", b.told[owner])
	case databaseOf[owner.Account] != "":
		w.vector, w.service, w.account = "database-exposed", databaseOf[owner.Account], owner.Account
		id := b.claim(fmt.Sprintf("The script %s belongs to %s: the database wrote it, which nobody makes it do who has another way to bring files.", owner.Path, owner.Account), owner.Rung, owner.First, Likely, owner.For, nil)
		w.claims = ids(append(w.claims, id)...)
		w.weigh("database-did", id)
		b.stoodOpen(&w)
	case owner.Account != "" && len(w.weights) == 0:
		w.vector, w.account = "unknown", owner.Account
		w.claims = ids(append(w.claims, b.claim(fmt.Sprintf("The script %s belongs to %s, as whom the web server does not write, and no request is seen that brought it: it came by another service.", owner.Path, owner.Account),
			owner.Rung, owner.First, Likely, owner.For, nil))...)
	}
	return w
}

// ran tells whether a client's requests were seen to run commands.
func (b *builder) ran(source string) bool {
	for _, f := range b.by[detect.WebExecution] {
		if f.Source == source && f.Level >= detect.High {
			return true
		}
	}
	return false
}

// firstAttack gives the first request of an address that tried to run commands, within an hour before its first effect.
func (b *builder) firstAttack(source string, effect evidence.Time) evidence.Time {
	first := effect
	for _, f := range b.by[detect.WebAttack] {
		if !strings.Contains(f.Mechanism, "injection") && !strings.Contains(f.Mechanism, "CVE") {
			continue
		}
		for i, ip := range f.Sources {
			if ip == source && i < len(f.When) && f.When[i].Before(first) && effect.Sub(f.When[i]) < time.Hour {
				first = f.When[i]
			}
		}
	}
	return first
}

// siteLogin finds the login to the site's own software before a script was written: then that account is the way in.
func (b *builder) siteLogin(f *detect.Finding, w *way) {
	for _, l := range b.by[detect.WebLogin] {
		if l.Source != f.Source || l.First.After(f.First.Add(2*time.Second)) || f.Mechanism != "web-admin" && l.Count < 6 {
			continue
		}
		w.vector, w.first = "web-admin", l.First
		text := fmt.Sprintf("%s entered the site's own software at %s %s", l.Source, l.Path, clock(l.First))
		if l.Count > 0 {
			text += fmt.Sprintf(" after %s", plural(l.Count, "refused try", "refused tries"))
		}
		id := b.claim(text+".", evidence.Accepted, l.First, Likely, l.For, nil)
		w.claims = ids(append(w.claims, id)...)
		w.weigh("site-login", id)
	}
}
