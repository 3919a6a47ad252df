package story

import (
	"cmp"
	"fmt"
	"time"

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
		w := way{vector: "database-exposed", status: Likely, service: f.Service, account: f.Account, sources: []string{}, first: f.First, last: f.Last}
		if f.Source == "" {
			f.Source = b.clientOf(f)
			w.account = cmp.Or(w.account, b.onlyAccount(f))
		}
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
		w.weigh("database-did", id)
		b.stoodOpen(&w)
		b.told[f] = id
		if f.Rung >= evidence.Effect {
			b.effect = ids(append(b.effect, id)...)
			w.status = Confirmed
		}
		b.action(f.Title, first(f.Attack), f.First, w.account, f.Path, id)
		if f.Source != "" {
			b.add(f.Source, id, f.Rung >= evidence.Effect)
		}
		b.merge(w)
	}
}

// clientOf gives who was at a database when it did something whose line names nobody: the only client of the same account, or of the same database's
// other doings, in the minutes before.
func (b *builder) clientOf(f *detect.Finding) (source string) {
	only := true
	note := func(x *detect.Finding) {
		if d := f.First.Sub(x.First); x.Source != "" && x.Service == f.Service && d >= 0 && d <= 10*time.Minute {
			only = only && (source == "" || source == x.Source)
			source = x.Source
		}
	}
	for _, x := range b.by[detect.DatabaseDid] {
		note(x)
	}
	for _, l := range b.logins() {
		if l.Account == f.Account || f.Account == "" {
			note(l)
		}
	}
	if !only {
		return ""
	}
	return source
}

// byRansom tells data that is gone, and the demand in its place: that a client from outside did it is the way in. Who leaves a demand is never
// entitled, even beside the networks of those who are. Where the log names no client, or one of the server's own networks, it is told as bad in itself.
func (b *builder) byRansom() {
	for _, f := range b.by[detect.Destroyed] {
		if f.Level < detect.Critical {
			continue
		}
		id := b.claim(f.Title+detail(f)+".", f.Rung, f.First, Confirmed, f.For, nil)
		b.told[f] = id
		if o := b.origin(f.Source); o == "local" || o == "internal" {
			continue
		}
		b.effect = ids(append(b.effect, id)...)
		b.add(f.Source, id, true)
		b.action("dropped databases and left a demand", first(f.Attack), f.First, f.Account, "", id)
		b.s.Impact = append(b.s.Impact, Impact{What: "ransom", Detail: utf8(f.Title), Count: f.Count, Unit: "databases", First: f.First.String(), Last: f.Last.String(), By: utf8(cmp.Or(f.Account, f.Service)), Claims: ids(id)})
		w := way{vector: "database-exposed", status: Confirmed, service: f.Service, account: f.Account, sources: ids(f.Source), first: f.First, last: f.Last, claims: ids(id)}
		w.weigh("database-did", id)
		b.stoodOpen(&w)
		b.merge(w)
	}
}

// stoodOpen adds that the database asked nobody who he is, if it says so itself.
func (b *builder) stoodOpen(w *way) {
	for _, f := range b.by[detect.Exposed] {
		if f.Service != w.service {
			continue
		}
		if b.told[f] == "" {
			b.told[f] = b.claim(f.Title+detail(f)+".", f.Rung, f.First, Confirmed, f.For, nil)
		}
		w.claims = ids(append(w.claims, b.told[f])...)
		w.weigh("stood-open", b.told[f])
	}
}

// onlyAccount gives the account as which the client of a database was let in, where it was one alone.
func (b *builder) onlyAccount(f *detect.Finding) (account string) {
	for _, l := range b.logins() {
		if l.Service != f.Service || l.Source != f.Source || f.Source == "" || l.First.After(f.First) {
			continue
		}
		if account != "" && account != l.Account {
			return ""
		}
		account = l.Account
	}
	return account
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
