// Package sigma holds events against rules in the form of Sigma (sigma-specification 2.0: rules, correlations, and the older
// "| count() by" conditions): our own, and those of a folder that the user names. A rule looks at one event, or counts
// the hits of others; it opens nothing and judges nothing: a hit is a finding with the rule's own level, at the lowest rung
// of evidence unless one of our rules says more.
//
// What a rule needs and no trace gives - a log source, a field - is told, never passed over: a rule that cannot see is not a rule
// that found nothing.
package sigma

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sort"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection over rules.
func New(rules *Rules) *detect.Detection {
	d := &detect.Detection{ID: "rules", Title: "Rules in Sigma's form", Doc: "holds each event against rules in Sigma's form, our own and the user's",
		New: func(detect.Scene) detect.Fold { return newFold(rules) }}
	wanted := kindSet{}
	for _, r := range rules.List {
		if r.detection != somebodys && !slices.Contains(d.IDs, r.detection) {
			d.IDs = append(d.IDs, r.detection)
		}
		for _, a := range r.Attack {
			if r.detection != somebodys && !slices.Contains(d.Attack, a) {
				d.Attack = append(d.Attack, a)
			}
		}
		for k, on := range r.kinds {
			if on && !wanted[k] {
				wanted[k] = true
				d.Wants = append(d.Wants, event.Kind(k))
			}
		}
	}
	slices.Sort(d.Wants)
	d.LinesOf, d.SaidBy = programs(rules.List, event.LogLine), programs(rules.List, event.ProgramSaid)
	return d
}

// programs gives whose events of a kind the rules look at; nil for all programs'.
func programs(rules []*Rule, k event.Kind) (out []string) {
	out = []string{}
	for _, r := range rules {
		switch {
		case !r.kinds[k] || slices.Contains(out, r.program):
		case r.program == "":
			return nil
		default:
			out = append(out, r.program)
		}
	}
	return out
}

// Bounds of what is told of one rule.
const (
	maxSources = 50
	maxQuotes  = 6
	maxTries   = 200 // of one rule, kept one by one
)

// fold is one run.
type fold struct {
	rules   *Rules
	byKind  [256]*wordlist // shared by kinds that the same rules look at
	byRule  []hits
	over    map[*Rule][]int           // correlations by the rules that they rest on
	groups  map[int]map[string]*group // of correlations
	seen    [256]int64
	rec     record
	known   map[string][]int32 // words of requests in what clients say of themselves
	words   kindSet            // kinds in whose whole line rules look for words
	marked  []uint32
	mark    uint32
	picked  []int
	parts   [][]byte
	tracked bool
	mails   sessions
}

// hits are those of one rule.
type hits struct {
	count       int64
	first, last evidence.Time
	sources     []string
	when        []evidence.Time
	accounts    []string
	quotes      []evidence.Quote
	tries       []detect.Try
	line        evidence.Ref // of the last hit: several events may come of one line
}

func newFold(rules *Rules) *fold {
	f := &fold{rules: rules, byRule: make([]hits, len(rules.List)), over: map[*Rule][]int{}, known: map[string][]int32{}, groups: map[int]map[string]*group{}, byKind: rules.byKind(), marked: make([]uint32, len(rules.List))}
	f.rec.parents = &processes{}
	for i, r := range rules.List {
		if r.correlation != nil {
			for base := range r.correlation.of {
				f.over[base] = append(f.over[base], i)
			}
			f.groups[i] = map[string]*group{}
		}
		if r.matches == nil {
			continue
		}
		if keyed(r.matches) {
			for k, on := range r.kinds {
				f.words[k] = f.words[k] || on
			}
		}
		f.tracked = f.tracked || r.kinds[event.ProcessStarted]
	}
	return f
}

func (f *fold) Observe(e *event.Event) {
	f.seen[e.Kind]++
	f.mails.saw(e)
	f.rec.load(e)
	f.pick(e)
	for _, i := range f.picked {
		f.try(i)
	}
	if f.tracked && e.Kind == event.ProcessStarted {
		f.rec.parents.saw(e)
	}
}

func (f *fold) try(i int) {
	r := f.rules.List[i]
	if !f.holds(r) {
		return
	}
	for _, c := range f.over[r] {
		over := f.rules.List[c]
		if over.correlation.saw(f.groups[c], r, &f.rec) {
			f.byRule[c].take(f.rec.e, "")
		}
	}
	if r.correlation == nil && !r.quiet {
		from := ""
		if r.what == detect.Exploit {
			from = f.mails.of(f.rec.e)
		}
		f.byRule[i].take(f.rec.e, from)
	}
}

// holds asks the rule of the event; of a shell's line also of each of its commands.
func (f *fold) holds(r *Rule) bool {
	if !slices.Contains(shells, f.rec.e.Kind) {
		return r.matches.holds(&f.rec)
	}
	f.parts = simple(f.parts, f.rec.e.Get(event.CommandLine))
	for _, p := range f.parts {
		f.rec.command = p
		if r.matches.holds(&f.rec) {
			return true
		}
	}
	f.rec.command = nil
	return false
}

// take keeps a hit; from is where it came from by other lines.
func (h *hits) take(e *event.Event, from string) {
	if h.count > 0 && h.line.Off == e.Ref.Off && h.line.Path == e.Ref.Path && h.line.Source == e.Ref.Source {
		return
	}
	h.line = e.Ref
	h.count++
	h.first, h.last = evidence.Min(h.first, e.At), evidence.Max(h.last, e.At)
	ip := e.Get(event.SourceIP)
	if len(ip) == 0 {
		ip = []byte(from)
	}
	if len(ip) > 0 && len(h.sources) < maxSources && !slices.Contains(h.sources, string(ip)) {
		h.sources, h.when = append(h.sources, string(ip)), append(h.when, e.At)
	}
	if u := e.Get(event.UserName); len(u) > 0 && len(h.accounts) < maxSources && !slices.Contains(h.accounts, string(u)) {
		h.accounts = append(h.accounts, string(u))
	}
	if len(h.quotes) < maxQuotes {
		h.quotes = append(h.quotes, e.Quote())
	}
	if len(h.tries) < maxTries && e.At.Known() {
		t := detect.TryOf(e)
		t.Source = string(ip)
		h.tries = append(h.tries, t)
	}
}

// Findings gives one finding for each rule that was hit.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for i, h := range f.byRule {
			if h.count == 0 {
				continue
			}
			if ctx.Err() != nil || !yield(f.finding(f.rules.List[i], &h)) {
				return
			}
		}
	}
}

func (f *fold) finding(r *Rule, h *hits) detect.Finding {
	x := detect.Finding{Detection: r.detection, What: r.what, Attack: r.Attack, Level: r.Level, Rung: r.rung, First: h.first, Last: h.last, Count: h.count, Sources: h.sources, When: h.when, Accounts: h.accounts, For: h.quotes,
		Mechanism: r.Title, Detail: "rule " + r.File}
	if r.mechanism != "" {
		x.Mechanism = r.mechanism
	}
	if r.ID != "" {
		x.Detail += " (" + r.ID + ")"
	}
	if len(h.sources) > 0 {
		x.Source = h.sources[0]
	}
	if len(h.accounts) == 1 {
		x.Account = h.accounts[0]
	}
	x.Title = r.Title
	if r.detection == somebodys { // somebody else's word: what is certain is only that it matched
		x.Title = fmt.Sprintf("the rule %q matched %s", r.Title, detect.Plural(h.count, "time", "times"))
	}
	switch r.what {
	case detect.WebAttack:
		x.Service = "web"
		x.Title = detect.Tried(h.count, x.Mechanism, len(h.sources))
		x.Tries = h.tries
	case detect.Exploit:
		x.Service = r.Source.Service
		if x.Service == "error" { // the log of a web server
			x.Service = r.Source.Product
		}
		x.Title = detect.Tried(h.count, x.Mechanism, len(h.sources))
		x.Tries = h.tries
	}
	return x
}

// Report tells how the rules fared: which could see nothing, for what they look at was not there.
func (f *fold) Report() detect.RuleReport {
	out := detect.RuleReport{Read: len(f.rules.List), Blind: map[string]int{}}
	for k, n := range f.rules.Absent {
		out.Blind[k] += n
		out.Read += n
	}
	for i, r := range f.rules.List {
		if f.byRule[i].count > 0 {
			out.Hit++
		}
		if !f.sighted(r) {
			out.Blind[r.Source.String()]++
		}
	}
	out.Read += len(f.rules.Refused)
	for _, x := range f.rules.Refused {
		out.Refused = append(out.Refused, detect.RefusedRule{File: x.File, Why: x.Why})
	}
	sort.SliceStable(out.Refused, func(i, j int) bool { return out.Refused[i].File < out.Refused[j].File })
	return out
}

func (f *fold) sighted(r *Rule) bool {
	if r.matches == nil {
		for base := range r.correlation.of {
			if f.sighted(base) {
				return true
			}
		}
		return false
	}
	for k, on := range r.kinds {
		if on && f.seen[k] > 0 {
			return true
		}
	}
	return false
}
