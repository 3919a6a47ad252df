// Package calls tells who guessed his way into a telephone exchange: an address that was refused for several extensions and was then registered as one of them. Calls
// that cost money follow. A telephone with an old password tries one extension, for days, and is none.
package calls

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "calls", Title: "Telephone exchanges", IDs: []string{"D12"},
		Doc:    "joins refused registrations of telephones with one that was taken, by the same address",
		Attack: []string{"T1110", "T1496"},
		Wants:  []event.Kind{event.AuthFailed, event.ProgramSaid},
		SaidBy: []string{"asterisk"},
		New:    func(detect.Scene) detect.Fold { return &fold{by: map[string]*caller{}} },
	}
}

const (
	maxCallers = 50_000
	maxNames   = 16 // of one address
	fewTries   = 20
	fewNames   = 3
)

// caller is one address.
type caller struct {
	tries       int64
	names       []string
	quotes      []evidence.Quote
	let         evidence.Time // when it was registered behind its tries
	as          string
	first, last evidence.Time
	before      bool // it was registered before it was refused
}

type fold struct{ by map[string]*caller }

func (f *fold) Observe(e *event.Event) {
	if string(e.Get(event.ServiceName)) != "asterisk" {
		return
	}
	ip := e.Text(event.SourceIP)
	if ip == "" || !detect.Outside(ip) {
		return
	}
	c := f.by[ip]
	if c == nil {
		if len(f.by) >= maxCallers {
			return
		}
		c = &caller{}
		f.by[ip] = c
	}
	name := extension(e.Raw)
	if e.Kind == event.AuthFailed {
		c.tries++
		c.first, c.last = evidence.Min(c.first, e.At), evidence.Max(c.last, e.At)
		if len(c.names) < maxNames && name != "" && !slices.Contains(c.names, name) {
			c.names = append(c.names, name)
		}
		if len(c.quotes) < 2 {
			c.quotes = append(c.quotes, e.Quote())
		}
		return
	}
	switch {
	case c.tries == 0:
		c.before = true
	case c.as == "" && c.tries >= fewTries && len(c.names) >= fewNames && !c.before:
		c.as, c.let = name, e.At
		c.quotes = append(c.quotes, e.Quote())
	}
}

// extension reads the telephone's name of a line: "<sip:100@192.0.2.1>", "AccountID="100"", "Registered SIP '100'".
func extension(t []byte) string {
	for _, m := range [][2]string{{"Registered SIP '", "'"}, {"sip:", "@"}, {`AccountID="`, `"`}} {
		if _, rest, ok := bytes.Cut(t, []byte(m[0])); ok {
			if name, _, ok := bytes.Cut(rest[:min(len(rest), 80)], []byte(m[1])); ok {
				return string(name)
			}
		}
	}
	return ""
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		var who []string
		for ip, c := range f.by {
			if c.as != "" {
				who = append(who, ip)
			}
		}
		slices.Sort(who)
		for _, ip := range who {
			c := f.by[ip]
			r := detect.Finding{Detection: "D12", What: detect.Relayed, Level: detect.High, Rung: evidence.Effect, Service: "asterisk", Mechanism: "calls", Source: ip, Sources: []string{ip}, Accounts: []string{c.as}, Count: c.tries, First: c.let, Last: c.let, For: c.quotes, Attack: []string{"T1110", "T1496"},
				Title:  fmt.Sprintf("%s was let in as extension %s of the telephone exchange after %s for %s", ip, c.as, detect.Plural(c.tries, "refused try", "refused tries"), detect.Plural(int64(len(c.names)), "extension", "extensions")),
				Detail: "look in the records of calls for those of this extension since then, and have the provider stop calls abroad"}
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}
