package held

import (
	"slices"
	"strings"

	"telltale/report"
	"telltale/story"
)

// Technique is one of ATT&CK's that the story says was used here.
type Technique struct {
	ID     string // "T1110.001"
	Name   string // ATT&CK's, or the id where it is not in our list
	Status story.Status
	First  string
	Last   string
	What   []string // what was done, in our words; bounded
	Claims []string
}

// maxWhat bounds what is told of one technique.
const maxWhat = 20

// Techniques gives what the acts, the ways to come back and the findings say that are held against somebody, in the order of their ids.
// Where nobody got in, there is none: a try shows what was tried, not what is done here.
func Techniques(d *report.Document) []Technique {
	if d.Verdict.Status != story.Compromised {
		return nil
	}
	g := &gatherer{sure: Sure(d), by: map[string]*Technique{}}
	for i := range d.Actions {
		a := &d.Actions[i]
		g.add(a.Attack, strings.TrimSpace(a.What+" "+a.Path), a.Time, a.Claims)
	}
	for i := range d.Persistence {
		p := &d.Persistence[i]
		g.add(p.Attack, strings.TrimSpace("way to come back: "+p.Mechanism+" "+p.Path), p.Since, p.Claims)
	}
	against := d.Against()
	for i := range d.Findings {
		f := &d.Findings[i]
		if f.Level == "low" || f.Level == "info" || !slices.ContainsFunc(f.Claims, func(id string) bool { return against[id] }) {
			continue
		}
		for _, id := range f.Attack {
			g.add(id, f.Title, f.Time, f.Claims)
		}
	}
	out := make([]Technique, 0, len(g.by))
	for _, t := range g.by {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Technique) int { return strings.Compare(a.ID, b.ID) })
	return out
}

type gatherer struct {
	sure func(claims []string) story.Status
	by   map[string]*Technique
}

func (g *gatherer) add(id, what, at string, claims []string) {
	st := g.sure(claims)
	if !IsTechnique(id) || rank(st) == 0 {
		return
	}
	t := g.by[id]
	if t == nil {
		t = &Technique{ID: id, Name: Name(id), Status: st}
		g.by[id] = t
	}
	t.join(what, at, st, claims)
}

func (t *Technique) join(what, at string, st story.Status, claims []string) {
	if rank(st) > rank(t.Status) {
		t.Status = st
	}
	if at != "" && (t.First == "" || at < t.First) {
		t.First = at
	}
	t.Last = max(t.Last, at)
	if len(t.What) < maxWhat && !slices.Contains(t.What, what) {
		t.What = append(t.What, what)
	}
	for _, id := range claims {
		if len(t.Claims) < 100 && !slices.Contains(t.Claims, id) {
			t.Claims = append(t.Claims, id)
		}
	}
}

// IsTechnique tells whether a word has the form of ATT&CK's ids: T1234 or T1234.001.
func IsTechnique(id string) bool {
	digits := func(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789") == "" }
	main, sub, ok := strings.Cut(id, ".")
	return strings.HasPrefix(main, "T") && digits(main[1:], 4) && (!ok || digits(sub, 3))
}

// Name gives a technique's name, or its id where it is not in our list.
func Name(id string) string {
	if n, ok := attack[id]; ok {
		return n
	}
	return id
}
