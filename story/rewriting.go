package story

import (
	"fmt"
	"slices"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// rewritingWithin is the time within which clients of many networks rewrite pages for one hand.
const rewritingWithin = 2 * time.Hour

// byRewriting finds an account of ftp by which clients of many networks fetched pages and put them back at once, as those do that put their own code into all pages that a
// stolen password reaches. Who deploys a site from rented machines puts pages there that he has, and fetches none.
func (b *builder) byRewriting() {
	byAccount := map[string][]*detect.Finding{}
	var accounts []string
	for _, f := range b.by[detect.Upload] {
		if f.Mechanism != "rewritten" || f.Account == "" || b.origin(f.Source) != "external" || b.suspects[f.Source] != nil {
			continue
		}
		k := f.Service + " " + f.Account
		if byAccount[k] == nil {
			accounts = append(accounts, k)
		}
		byAccount[k] = append(byAccount[k], f)
	}
	for _, k := range accounts {
		b.rewrote(byAccount[k])
	}
}

// rewrote judges what was rewritten with one account, in the order of time.
func (b *builder) rewrote(ups []*detect.Finding) {
	var from []string
	var quotes []evidence.Quote
	for _, f := range ups {
		if f.First.Sub(ups[0].First) > rewritingWithin || b.seenBefore(f.Account, f.Source, ups[0].First) {
			return
		}
		from = ids(append(from, f.Source)...)
		quotes = append(quotes, f.For...)
	}
	nets := apartNets(from)
	if len(nets) < crowd {
		return
	}
	u, last := ups[0], ups[len(ups)-1].Last
	text := fmt.Sprintf("With the password of %s, %d addresses of %d networks fetched %s by %s and put them back changed at once, from %s on, as no person works.", u.Account, len(from), len(nets), plural(int64(len(ups)), "page", "pages"), u.Service, clock(u.First))
	id := b.claim(text, evidence.Effect, u.First, Likely, quotes, nil)
	b.effect = ids(append(b.effect, id)...)
	for _, f := range ups {
		s := b.add(f.Source, id, false)
		s.account[f.Account] = true
		s.spans = append(s.spans, span{f.First, f.Last.Add(grace), f.Account, false})
	}
	b.action(fmt.Sprintf("rewrote %s", plural(int64(len(ups)), "page", "pages")), "T1565.001", u.First, u.Account, u.Path, id)
	w := way{vector: "ftp-password", status: Likely, service: u.Service, account: u.Account, sources: from, first: u.First, last: last, claims: ids(id), off: b.errorOf(u)}
	w.weigh("effect", id)
	b.merge(w)
}

// seenBefore tells whether an account was used from an address a day or more before.
func (b *builder) seenBefore(account, source string, at evidence.Time) bool {
	used := func(f *detect.Finding) bool {
		return f.Account == account && f.Source == source && f.First.Known() && f.First.Before(at.Add(-24*time.Hour))
	}
	return slices.ContainsFunc(b.logins(), used) || slices.ContainsFunc(b.by[detect.Upload], used)
}
