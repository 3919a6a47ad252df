package logins

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"

	"telltale/detect"
	"telltale/evidence"
)

// minGuesses is the fewest refused tries that are called guessing; fewer are typing errors.
const minGuesses = 5

// campaigns folds the guessing: addresses that tried hard by themselves, each alone up to a number, then
// all others together. Addresses that tried many accounts a few times each (spraying) are told apart.
func (f *fold) campaigns(ctx context.Context, yield func(detect.Finding) bool) {
	type one struct {
		ip string
		*address
	}
	entitled := map[string]bool{}
	for k := range f.logins {
		entitled[k.source] = true
	}
	var hard []one
	var rest detect.Finding
	var restAddresses int
	for _, ip := range slices.Sorted(maps.Keys(f.addr)) { // in an order, for but a few are quoted
		a := f.addr[ip]
		if ctx.Err() != nil {
			return
		}
		if a.count.n() >= minGuesses || len(a.tried) >= 3 {
			hard = append(hard, one{ip, a})
			continue
		}
		if entitled[ip] { // its own person mistyped
			continue
		}
		restAddresses++
		rest.Count += a.count.n() + a.probes.n()
		rest.First, rest.Last = evidence.Min(rest.First, a.first), evidence.Max(rest.Last, a.last)
		if len(rest.For) < maxQuotes {
			rest.For = append(rest.For, a.quotes...)
		}
	}
	sort.Slice(hard, func(i, j int) bool {
		if hard[i].count.n() != hard[j].count.n() {
			return hard[i].count.n() > hard[j].count.n()
		}
		return hard[i].ip < hard[j].ip
	})
	for i, h := range hard {
		r := detect.Finding{Detection: "D05", What: detect.Guessing, Level: detect.Low, Rung: evidence.Attempt, First: h.first, Last: h.last, Count: h.count.n(),
			Source: h.ip, Attack: []string{"T1110.001"}, For: h.quotes}
		if h.lastQuote.Ref != (evidence.Ref{}) {
			r.For = append(r.For, h.lastQuote)
		}
		r.Accounts = h.tried.list()
		r.Service = first(h.services.list())
		if len(h.tried) >= 5 && h.count.n()/int64(len(h.tried)) <= 3 {
			r.Detection, r.Attack = "D06", []string{"T1110.003"}
		}
		r.Title = fmt.Sprintf("%d refused tries from %s on %d accounts", h.count.n(), h.ip, len(h.tried))
		if i >= 200 { // the rest of a large campaign is told in one line
			rest.Count += h.count.n()
			restAddresses++
			rest.First, rest.Last = evidence.Min(rest.First, h.first), evidence.Max(rest.Last, h.last)
			if len(rest.For) < maxQuotes {
				rest.For = append(rest.For, h.quotes...)
			}
			continue
		}
		if !yield(r) {
			return
		}
	}
	if restAddresses > 0 && len(rest.For) > 0 {
		rest.Detection, rest.What, rest.Level, rest.Rung, rest.Attack = "D05", detect.Guessing, detect.Low, evidence.Attempt, []string{"T1110"}
		rest.Count += f.others
		rest.Title = fmt.Sprintf("%d further refused tries and probes from %d addresses", rest.Count, restAddresses)
		yield(rest)
	}
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
