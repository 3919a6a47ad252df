package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// Here are those who are suspected for what each by itself is ordinary: from where an account was used, and what happened then.

// byUpload finds who wrote a script that is odd, and no more, by ftp or the like from a network that the account never came from, if a run of mail by
// that account or the web server's followed: developers travel, and packed code is sold.
func (b *builder) byUpload() {
	for _, up := range b.by[detect.Upload] {
		if b.suspects[up.Source] != nil || !strings.Contains(up.Path, "/") || !b.mailedAfter(up) || b.origin(up.Source) != "external" {
			continue
		}
		if !b.cameAnew(up) {
			continue
		}
		for _, w := range b.by[detect.WebScript] {
			if w.Level != detect.Medium || w.Path != up.Path && !strings.HasSuffix(w.Path, strings.ReplaceAll(up.Path, "//", "/")) {
				continue
			}
			if len(w.When) == 0 && !b.mailedAs(up, up.Account) { // what the web server sent, no request for this script began
				continue
			}
			text := fmt.Sprintf("%s, from where %s had not come before, wrote %s by %s %s: %s.", up.Source, up.Account, up.Path, up.Service, clock(up.First), w.Detail)
			s := b.add(up.Source, b.claim(text, evidence.Effect, up.First, Likely, append(append([]evidence.Quote{}, up.For...), w.For...), nil), false)
			s.account[up.Account] = true
			s.spans = append(s.spans, span{up.First, up.Last.Add(grace), up.Account, false})
			b.effect = ids(append(b.effect, first(s.why))...)
		}
	}
}

// cameAnew tells whether who uploaded something logged in from a network that the account was not seen to come from before.
func (b *builder) cameAnew(up *detect.Finding) bool {
	return slices.ContainsFunc(b.logins(), func(l *detect.Finding) bool {
		return l.Source == up.Source && l.Account == up.Account && l.Access.Unfamiliar()
	})
}

// mailedAfter tells whether a run of mail that a script can have sent began behind an upload.
func (b *builder) mailedAfter(up *detect.Finding) bool {
	for _, f := range b.by[detect.MailRun] {
		if webAccount(f.Account) && b.mailedAs(up, f.Account) {
			return true
		}
	}
	return b.mailedAs(up, up.Account)
}

// mailedAs tells whether a run of mail of an account began behind an upload.
func (b *builder) mailedAs(up *detect.Finding, account string) bool {
	for _, f := range b.by[detect.MailRun] {
		if d := f.First.Sub(up.First); f.Level >= detect.High && f.Mechanism != "sasl" && f.Account == account && d >= 0 && d < 7*24*time.Hour {
			return true
		}
	}
	return false
}

// byMail finds who sent a run of mail with an account's password from a place where the account never came from before.
func (b *builder) byMail() {
	for _, f := range b.by[detect.MailRun] {
		if f.Mechanism != "sasl" || f.Level < detect.High {
			continue
		}
		if b.fromEverywhere(f) || b.fromStrangeNetworks(f) {
			continue
		}
		for _, l := range b.logins() {
			if l.Account != f.Account || shellService(l.Service) || !contains(f.Sources, l.Source) || !l.Access.Unfamiliar() || b.suspects[l.Source] != nil {
				continue
			}
			if b.origin(l.Source) != "external" || l.Access.FirstOfAccount && len(f.Sources) > 1 { // the account's own address, then
				continue
			}
			text := fmt.Sprintf("With the password of %s, %s handed in mail from %s on, an address that the account had not come from before; %s.", f.Account, l.Source, clock(l.First), f.Detail)
			id := b.claim(text, evidence.Effect, l.First, Likely, append(append([]evidence.Quote{}, l.For...), f.For...), nil)
			if b.maySend(f, l) {
				b.doubt(l.Source, id)
				continue
			}
			b.add(l.Source, id, false)
		}
	}
}

// manyMails is how many mails are more than several people write within an hour or two.
const manyMails = 50

// crowd is from how many networks one person does not send within an hour.
const crowd = 4

// fromEverywhere suspects all who handed in a run of mail with one account's password from many networks at once: no person is in so many places.
func (b *builder) fromEverywhere(f *detect.Finding) bool {
	from := f.Sources
	if slices.ContainsFunc(from, func(ip string) bool { return b.origin(ip) != "external" }) {
		return false // the site's own: a shared account
	}
	nets := apartNets(from)
	if len(nets) < crowd || f.Count < manyMails || f.Last.Sub(f.First) > 48*time.Hour {
		return false
	}
	for _, l := range b.logins() { // an account that several people share is used from many places, but not from new ones only
		if l.Account == f.Account && contains(from, l.Source) && l.First.Before(f.First.Add(-24*time.Hour)) {
			return false
		}
	}
	text := fmt.Sprintf("With the password of %s mail was handed in from %d addresses of %d networks at once, as no person sends; %s.", f.Account, len(from), len(nets), f.Detail)
	id := b.claim(text, evidence.Effect, f.First, Likely, f.For, nil)
	started := !b.usedBefore(f) && !toMany(f)
	for _, ip := range from {
		if started { // a service that was given the password to send newsletters or tickets with it comes from many networks, too
			b.doubt(ip, id)
		} else {
			b.add(ip, id, false)
		}
	}
	return true
}

// byCampaign finds logins to an account that many addresses were guessing at, from where it never came before, within which something was left that
// lets somebody back in. Each by itself is ordinary.
func (b *builder) byCampaign() {
	for _, l := range b.logins() {
		a := l.Access
		if a == nil || !shellService(l.Service) || b.suspects[l.Source] != nil || a.RecentAddresses < campaignAddresses || a.RecentTries < campaignTries || !a.Unfamiliar() || b.origin(l.Source) != "external" || l.Key != "" {
			continue
		}
		var left []string
		var quotes []evidence.Quote
		odd, key, job := false, false, false // every exposed account is guessed at, and its owner, who is on a journey, leaves keys and jobs, too
		for _, p := range b.by[detect.Persistence] {
			if p.Package == "" && during(l, p) && b.mayWrite(l.Account, p) {
				left, quotes = ids(append(left, names(p.Mechanism)+" in "+utf8(p.Path))...), append(quotes, p.For...)
				key, job = key || p.Mechanism == "ssh-key", job || p.Level >= detect.Medium && p.Mechanism != "ssh-key"
				odd = odd || p.Level >= detect.High || key && job
			}
		}
		if !odd {
			continue
		}
		text := fmt.Sprintf("%d addresses guessed at %s in the hours before, then %s was let in, from where the account never came before, and within that session appeared %s.", a.RecentAddresses, l.Account, l.Source, list(left))
		b.add(l.Source, b.claim(text, evidence.Effect, l.First, Likely, append(append([]evidence.Quote{}, l.For...), quotes...), nil), false)
	}
}
