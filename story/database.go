package story

import (
	"fmt"

	"telltale/detect"
	"telltale/evidence"
)

// byDatabase tells what a database was made to do: a dump over a file of ssh or cron proves itself; a statement that runs
// programs or writes scripts is held against an address from outside, for an application's own may come from anywhere.
func (b *builder) byDatabase() {
	for _, f := range b.by[detect.DatabaseDid] {
		if f.Level < detect.High {
			continue
		}
		w := way{vector: "database-exposed", status: Likely, service: f.Service, account: f.Account, sources: []string{}, first: f.First, last: f.Last, score: pointsEffect}
		switch {
		case f.Level == detect.Critical:
			b.dumped(f, &w)
		case f.Source == "" || b.origin(f.Source) != "external":
			continue
		default:
			w.sources = ids(f.Source)
		}
		id := b.claim(fmt.Sprintf("%s %s %s.", upper(f.Service), f.Detail, clock(f.First)), f.Rung, f.First, statusOf(f), f.For, nil)
		w.claims = ids(append(w.claims, id)...)
		b.told[f] = id
		if f.Rung >= evidence.Effect {
			b.effect = ids(append(b.effect, id)...)
			w.status = Confirmed
		}
		b.action(f.Title, first(f.Attack), f.First, w.account, f.Path, id)
		if f.Source != "" {
			b.add(f.Source, id, f.Rung >= evidence.Effect)
		}
		b.entered = append(b.entered, w)
	}
}

// dumped joins a dump with the keys and cron entries within it, and with the logins by those keys.
func (b *builder) dumped(f *detect.Finding, w *way) {
	for _, p := range b.by[detect.Persistence] {
		if p.Path != f.Path {
			continue
		}
		p.Level = max(p.Level, detect.High)
		w.account = p.As
		if p.Mechanism != "ssh-key" || p.Key == "" {
			continue
		}
		b.keys[p.Key] = true
		for _, l := range b.logins() {
			if l.Key == p.Key {
				w.sources = ids(append(w.sources, l.Source)...)
				w.first, w.last = evidence.Min(w.first, l.First), evidence.Max(w.last, l.Last) // a later save writes the file anew
			}
		}
	}
}
