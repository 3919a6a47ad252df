package logins

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"telltale/detect"
	"telltale/evidence"
)

// One account, tried by many addresses a few times each: whoever guesses so knows the name, and takes care not to be shut out. Names that every list
// holds are tried so everywhere; the accounts that this log's guessers try are the measure.
const (
	sharedAddresses = 10
	fewEach         = 4
	mostShared      = 20
	oneInTwenty     = 95
)

// shared gives the accounts of people that many addresses tried.
func (f *fold) shared() (out []detect.Finding) {
	all := make([]int, 0, len(f.account))
	for _, u := range f.account {
		all = append(all, len(u.from))
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	usual := all[(len(all)-1)*oneInTwenty/100]
	if len(all) < 20 { // too few names for a measure
		usual = 0
	}
	let := map[string]bool{}
	for k := range f.logins {
		let[k.user] = true
	}
	for _, u := range f.account {
		known, ok := f.scene.User(u.name)
		if n := len(u.from); n < max(sharedAddresses, usual) || n < maxFrom && u.count.n() > int64(fewEach*n) || u.name == "root" || !let[u.name] && (!ok || known.UID < 1000) {
			continue
		}
		r := detect.Finding{Detection: "D07", What: detect.Campaign, Level: detect.Low, Rung: evidence.Attempt, Account: u.name, Accounts: []string{u.name}, Count: u.count.n(), Attack: []string{"T1110"},
			Title:  fmt.Sprintf("%d addresses tried the account %s, a few times each", len(u.from), u.name),
			Detail: fmt.Sprintf("%d tries; of the accounts that are tried here, nineteen in twenty are tried by %d addresses at most", u.count.n(), all[(len(all)-1)*oneInTwenty/100])}
		for _, ip := range slices.Sorted(maps.Keys(u.from)) {
			a := f.addr[ip]
			if a == nil {
				continue
			}
			r.First, r.Last = evidence.Min(r.First, a.first), evidence.Max(r.Last, a.last)
			r.Sources = append(r.Sources, ip)
			if len(r.For) < maxQuotes {
				r.For = append(r.For, a.quotes...)
			}
		}
		if len(r.For) > 0 {
			r.Sources = r.Sources[:min(len(r.Sources), 200)]
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b detect.Finding) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Account, b.Account))
	})
	return out[:min(len(out), mostShared)]
}
