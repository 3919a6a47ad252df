package story

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// maxPatches bounds how many missing patches are told one by one.
const maxPatches = 40

// patches tells which software had a known fault when somebody broke in, and whether the marks of its use were seen. It comes last: a missing
// patch is a state, and changes neither a verdict nor a way in. All that it adds to a way in is the product's name and the fault's number, where
// the one who came in asked for that very fault or left what its use leaves.
func (b *builder) patches() {
	var all, told []*missing
	idle := map[string]bool{} // neither a service nor a way to root
	for _, f := range b.by[detect.Vulnerable] {
		if len(f.For) > 0 && b.stoodThen(f) {
			p := &missing{f: f}
			b.used(p)
			all = append(all, p)
		}
	}
	b.ambiguous(all)
	for _, p := range all {
		switch {
		case p.used == nil && p.f.Explained != "":
			b.doubted = append(b.doubted, p.f)
		case p.used == nil && p.f.As == "":
			idle[p.f.Package] = true
		default:
			told = append(told, p)
		}
	}
	sort.SliceStable(told, func(i, j int) bool { return told[i].rank() < told[j].rank() })
	for i, p := range told {
		if i >= maxPatches && p.used == nil {
			idle[p.f.Package] = true
			continue
		}
		b.s.Patches = append(b.s.Patches, b.patch(p))
	}
	b.named(told)
	b.mend(told)
	if n := int64(len(idle)); n > 0 {
		b.s.Innocent = append(b.s.Innocent, Innocent{What: plural(n, "more package with known faults", "more packages with known faults"),
			Why: "no service of this server and no way to root is known to be theirs, or others are told before them; mend them when the server is built anew"})
	}
	b.undecided()
}

// missing is a missing patch, and the way in that used it.
type missing struct {
	f      *detect.Finding
	used   *way
	entry  int
	sure   bool             // by what was left, not only by what was asked for
	quotes []evidence.Quote // of the marks
}

// ambiguous takes back what cannot be told: who asks for the faults of several products, as scanners do, came in by one of them, unless what was
// left tells by which.
func (b *builder) ambiguous(all []*missing) {
	for i := range b.entered {
		products, sure := map[string]bool{}, false
		for _, p := range all {
			if p.used != nil && p.entry == i {
				products[p.product()] = true
				sure = sure || p.sure
			}
		}
		for _, p := range all {
			if p.used != nil && p.entry == i && len(products) > 1 && !(sure && p.sure) {
				p.used, p.quotes = nil, nil
			}
		}
	}
}

// rank orders them: used here, then what strangers reach, then what who is inside could use; each with those first that are used elsewhere.
func (p *missing) rank() int {
	r := 0
	switch {
	case p.used != nil:
		return 0
	case p.f.As == "remote":
		r = 2
	case p.f.As == "local":
		r = 6
	default:
		r = 4
	}
	if p.f.Mechanism == "" {
		r++
	}
	return r
}

// stoodThen tells whether a version stood on the host at the time of one of the ways in; without one, whether it stands there now.
func (b *builder) stoodThen(f *detect.Finding) bool {
	known := false
	for _, w := range b.entered {
		if !w.first.Known() {
			continue
		}
		known = true
		if !(f.First.Known() && f.First.After(w.first)) && !(f.Last.Known() && !f.Last.After(w.first)) {
			return true
		}
	}
	return !known && !f.Last.Known()
}

// used looks for the way in that used a fault.
func (b *builder) used(p *missing) {
	for i := range b.entered {
		w := &b.entered[i]
		if p.f.First.Known() && p.f.First.After(w.first) || p.f.Last.Known() && !p.f.Last.After(w.first) {
			continue
		}
		qs, asked := b.asked(p.f, w)
		left := b.left(p.f, w)
		if asked || len(left) > 0 {
			p.used, p.entry, p.sure, p.quotes = w, i, len(left) > 0, append(qs, left...)
			return
		}
	}
}

// asked tells whether the one who came in asked for a fault by what only its exploit asks for, within an hour before, and gives the requests
// as far as they are quoted.
func (b *builder) asked(f *detect.Finding, w *way) (qs []evidence.Quote, yes bool) {
	if f.Service != "web" || w.service != "web" || w.vector != "web-exploit" && w.vector != "web-upload" {
		return nil, false
	}
	for _, a := range b.by[detect.WebAttack] {
		if !slices.ContainsFunc(f.Sources, func(cve string) bool { return spells(a.Mechanism, cve) }) {
			continue
		}
		for i, ip := range a.Sources {
			if i < len(a.When) && contains(w.sources, ip) && !a.When[i].After(w.last) && w.first.Sub(a.When[i]) < time.Hour {
				yes = true
				for _, q := range a.For {
					if strings.Contains(q.Text, ip) {
						qs = append(qs, q)
					}
				}
			}
		}
	}
	return qs, yes
}

// spells tells whether a text holds a CVE's number, and not one that only begins so.
func spells(text, cve string) bool {
	i := strings.Index(text, cve)
	if cve == "" || i < 0 {
		return false
	}
	rest := text[i+len(cve):]
	return rest == "" || rest[0] < '0' || rest[0] > '9'
}

// left gives what the use of a fault leaves, where the one who came in left it: scripts in the places of its uploads, files of an upload that only it makes.
func (b *builder) left(f *detect.Finding, w *way) (qs []evidence.Quote) {
	theirs := func(x *detect.Finding) bool {
		return contains(w.sources, x.Source) || slices.ContainsFunc(x.Sources, func(s string) bool { return contains(w.sources, s) })
	}
	for _, mark := range f.Views {
		kind, what, _ := strings.Cut(mark, ":")
		switch kind {
		case "under":
			for _, s := range slices.Concat(b.by[detect.WebUpload], b.by[detect.WebScript]) {
				if s.Level >= detect.High && s.Rung >= evidence.Accepted && strings.Contains(s.Path, what) && theirs(s) && w.service == "web" {
					qs = append(qs, s.For...)
				}
			}
		case "method":
			for _, u := range b.by[detect.Upload] {
				if u.Method == what && u.Service == f.Service && theirs(u) && b.badScript(u.Path) != nil {
					qs = append(qs, u.For...)
				}
			}
		}
	}
	return qs
}

// patch makes the report's entry.
func (b *builder) patch(p *missing) Patch {
	f := p.f
	out := Patch{Software: utf8(f.Package), Version: utf8(f.Detail), Fixed: utf8(f.Method), Path: utf8(f.Path), CVE: ids(f.Sources...), Advisories: ids(f.Accounts...), Exploited: f.Mechanism == "known-exploited", Status: "exposed", Service: f.Service, What: f.Runs}
	if out.What == "" {
		out.What = "what its advisories say"
	}
	qs, rung := f.For, evidence.None
	if p.used != nil {
		out.Status, rung = "exploited", evidence.Accepted
		qs = append(slices.Clone(qs), p.quotes...)
	}
	out.Claims = ids(b.claim(p.words(), rung, evidence.Time{}, Likely, qs, nil))
	return out
}

// words tells a missing patch in a sentence, and what speaks for its use in another.
func (p *missing) words() string {
	f := p.f
	name, has := f.Package, "has"
	if f.Path != "" {
		name += " (" + f.Path + ")"
	}
	if f.Explained != "" { // it was used, so it was there, whatever its number says
		has = "has by its number, which alone would not tell,"
	}
	faults := strings.Join(some(f.Sources, 3), ", ")
	if faults == "" { // some advisories name no CVE
		faults = "a known fault"
	}
	text := fmt.Sprintf("%s %s %s %s", name, f.Detail, has, faults)
	if f.Count > 3 {
		text += fmt.Sprintf(" and %d more", f.Count-3)
	}
	if f.Runs != "" {
		text += ", which lets " + whom(f.As) + " " + f.Runs
	}
	if f.Method != "" {
		text += "; version " + f.Method + " mends it"
	}
	if len(f.Accounts) > 0 {
		text += " (" + strings.Join(some(f.Accounts, 2), ", ") + ")"
	}
	if f.Last.Known() {
		text += ". It stood there at the time of the break-in and was replaced " + clock(f.Last)
	}
	switch {
	case p.used == nil:
	case p.sure:
		text += fmt.Sprintf(". Who came in from %s left what its use leaves", list(p.used.sources))
	default:
		text += fmt.Sprintf(". Who came in from %s asked for this very fault within the hour before", list(p.used.sources))
	}
	return text + "."
}

func some(list []string, n int) []string { return list[:min(len(list), n)] }

// whom says who could use a fault.
func whom(how string) string {
	switch how {
	case "local":
		return "whoever runs programs here"
	case "user":
		return "whoever has an account of it"
	case "victim":
		return "whoever makes somebody look"
	}
	return "anybody who reaches it"
}

// named gives the ways in their product and fault, where exactly one product fits and they have none.
func (b *builder) named(told []*missing) {
	for i := range b.s.Entry {
		e := &b.s.Entry[i]
		product, cve := "", []string{}
		for _, p := range told {
			if p.used == nil || p.entry != i || product == p.product() && product != "" && p.f.As == "user" {
				continue
			}
			if product != "" && product != p.product() {
				product = ""
				break
			}
			product, cve = p.product(), append(cve, p.f.Sources...)
		}
		if product != "" && e.Product == "" && (len(e.CVE) == 0 || slices.ContainsFunc(e.CVE, func(s string) bool { return contains(cve, s) })) {
			e.Product, e.CVE = utf8(product), ids(cve...)
		}
	}
}

// mend says what has to be mended before the server goes back: what was used.
func (b *builder) mend(told []*missing) {
	for _, p := range told {
		if p.used == nil || p.f.Method == "" || len(b.s.DoNow) == 0 {
			continue
		}
		b.s.DoNow = append(b.s.DoNow, Step{Order: len(b.s.DoNow) + 1, Step: fmt.Sprintf("Bring %s to version %s or later before the server goes back.", utf8(p.f.Package), utf8(p.f.Method)), Why: "They came in by a fault of " + utf8(p.f.Detail) + ": " + strings.Join(some(p.f.Sources, 2), ", ") + "."})
	}
}

func (p *missing) product() string {
	if p.f.Agent != "" {
		return p.f.Agent
	}
	return p.f.Package
}

// undecided says of which software it cannot be told, where somebody came in.
func (b *builder) undecided() {
	if len(b.entered) == 0 {
		return
	}
	by := map[string][]string{}
	var order []string
	for _, f := range b.doubted {
		if by[f.Explained] == nil {
			order = append(order, f.Explained)
		}
		if s := fmt.Sprintf("%s %s (%s)", utf8(f.Package), utf8(f.Detail), strings.Join(some(f.Sources, 2), ", ")); !contains(by[f.Explained], s) {
			by[f.Explained] = append(by[f.Explained], s)
		}
	}
	for _, why := range order {
		l := by[why]
		s := "whether these still had faults that are known: " + strings.Join(some(l, 6), ", ")
		if len(l) > 6 {
			s += fmt.Sprintf(" and %d more", len(l)-6)
		}
		b.s.Unknown = append(b.s.Unknown, s+": "+why)
	}
}
