package story

import (
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// hand is an account that an intruder had in hand, and for how long.
type hand struct {
	account string
	claims  []string
	until   evidence.Time // unknown where no end is seen
	service bool          // only by a file service, which may show no more than the account's folder
}

// held gathers hands by account.
type held struct {
	at     map[string]*hand
	order  []*hand
	shells map[string]bool // accounts as which more than files could be had
}

func (x *held) add(account string, until evidence.Time, claims ...string) {
	h := x.at[account]
	if account == "" {
		return
	}
	if h == nil {
		h = &hand{account: account, until: until}
		x.at[account] = h
		x.order = append(x.order, h)
	}
	h.claims = ids(append(h.claims, claims...)...)
	if !until.Known() || h.until.Known() && until.After(h.until) {
		h.until = until
	}
}

// hands gives the accounts as which an intruder could read files here: of shells, file services and the web server. A mailbox's password opens no files. Root
// comes first, and with it every account.
func (b *builder) hands() []*hand {
	x := &held{at: map[string]*hand{}, shells: map[string]bool{}}
	if b.root {
		x.add("root", evidence.Time{}, b.rootSign)
	}
	for _, s := range b.ordered() {
		b.held(s, x)
	}
	for _, w := range []detect.What{detect.WebUpload, detect.WebScript} { // who runs a script reads what its account may
		for _, f := range b.by[w] {
			x.shells[b.runsAs(f)] = x.shells[b.runsAs(f)] || f.Level >= detect.High
		}
	}
	for _, h := range x.order {
		h.service = !x.shells[h.account] && h.account != "root"
	}
	return x.order
}

// held adds what one suspect had in hand.
func (b *builder) held(s *suspect, x *held) {
	known, files := map[string]bool{}, map[string]bool{}
	for _, l := range s.logins {
		known[l.Account] = true
		files[l.Account] = files[l.Account] || shellService(l.Service) || event.ClassOf(l.Service) == event.FileService
		x.shells[l.Account] = x.shells[l.Account] || shellService(l.Service)
	}
	for _, sp := range s.spans {
		if known[sp.account] && !files[sp.account] {
			continue
		}
		until := sp.to
		if sp.open {
			until = evidence.Time{}
		}
		x.shells[sp.account] = x.shells[sp.account] || !known[sp.account]
		x.add(sp.account, until, s.why...)
	}
	for _, r := range b.by[detect.BecameRoot] {
		if s.account[r.Account] && b.within(s, r) && r.As != "root" {
			x.add(r.As, evidence.Time{}, s.why...)
			x.shells[r.As] = true
		}
	}
}

// acted tells to which suspect an act of an account belongs: it lies within one of his sessions as that account, or as one that became the act's
// account. Others who had the same account open then make it possible only. An act without a time is his if nobody else is seen to have used the
// account; doubt tells that somebody else did.
func (b *builder) acted(f *detect.Finding) (s *suspect, words string, st Status, doubt bool) {
	if !f.First.Known() {
		return b.actedOnce(f)
	}
	one := &detect.Finding{First: f.First}
	there := false
	for _, x := range b.ordered() {
		for _, sp := range x.spans {
			if !sp.holds(one) || !b.sameHand(x, sp, f) {
				continue
			}
			in := sp.lasted(one)
			if s == nil || x.strong && !s.strong || x.strong == s.strong && in && !there {
				s, there = x, in
			}
		}
	}
	if s == nil {
		return nil, "", "", false
	}
	if b.othersThen(f) {
		return s, "while " + s.source + " was logged in, though somebody else was too", Possible, false
	}
	if s.strong {
		return s, "in the session of " + s.source, Confirmed, false
	}
	return s, "in the session of " + s.source, Likely, false
}

// sameHand tells whether who had a span's account in hand acted as a finding's account.
func (b *builder) sameHand(s *suspect, x span, f *detect.Finding) bool {
	if f.Account == "" || f.Account == x.account {
		return f.Account != ""
	}
	for _, r := range b.by[detect.BecameRoot] { // typed as the account that he became
		if s.account[r.Account] && r.As == f.Account && b.within(s, r) {
			return true
		}
	}
	return false
}

// othersThen tells whether somebody who is not suspected had the account of an act open, or became it.
func (b *builder) othersThen(f *detect.Finding) bool {
	for _, l := range b.logins() {
		if b.suspects[l.Source] != nil || l.Access == nil || l.Account != f.Account && !(f.Account == "root" && b.sudoes(l.Account)) {
			continue
		}
		if during(l, &detect.Finding{First: f.First}) {
			return true
		}
	}
	return false
}

// actedOnce is acted for a line of a history without times.
func (b *builder) actedOnce(f *detect.Finding) (s *suspect, words string, st Status, doubt bool) {
	others, wrote := false, false
	for _, l := range b.logins() {
		if l.Account != f.Account || !shellService(l.Service) {
			continue
		}
		if x := b.suspects[l.Source]; x != nil {
			s, wrote = x, wrote || wroteLast(f, l) != ""
		} else {
			others = true
		}
	}
	for _, r := range b.by[detect.BecameRoot] {
		if r.As != f.Account {
			continue
		}
		if x := b.holder(r); x == nil {
			others = true
		} else if s == nil {
			s = x
		}
	}
	switch {
	case s == nil || !writtenSince(f, s):
		return nil, "", "", false
	case others:
		return nil, "", "", true
	case wrote:
		return s, "in a history without times, which was last written when the session of " + s.source + " ended", Likely, false
	}
	return s, "in a history without times; only " + s.source + " is seen to have used the account", Possible, false
}

// holder gives the suspect in whose session somebody became another.
func (b *builder) holder(r *detect.Finding) *suspect {
	for _, x := range b.ordered() {
		if x.account[r.Account] && b.within(x, r) {
			return x
		}
	}
	return nil
}

// writtenSince tells whether a history was last written since a suspect came: what was written before is none of his.
func writtenSince(f *detect.Finding, s *suspect) bool {
	return len(f.When) == 0 || !s.first().Known() || !f.When[0].Before(s.first().Add(-time.Minute))
}
