package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/report"
	"telltale/report/internal/brief"
	"telltale/report/internal/text"
	"telltale/story"
)

// timeline is the drawing of the story: time runs to the right, each lane is one kind of thing or one account's
// acts. Units are those of the drawing, about one pixel on a screen.
type timeline struct {
	Width, Height     int
	Left              int // where the lanes' names end
	From, To          string
	Ticks, Days, Cuts []tick
	Lanes             []*lane
	Unnamed           int // marks that no label had room for
	Skipped           int // things that are not drawn
	Undated           int // things whose time is not known
}

type lane struct {
	Name  string
	Y, H  int
	NameY int
	Odd   bool
	Marks []*mark
}

// mark is one thing: at X, or from X to X2.
type mark struct {
	Class        string // who, entry, act, stay, trace, harm
	X, X2, Y     int
	TextX, TextY int
	Anchor       string // start, end, "" if the label has no room
	Time, Label  string
	Count        int // that say the same, beside each other

	from, to float64 // seconds since 1970
	claims   []string
}

const (
	drawWidth = 1000
	drawLeft  = 134
	drawRight = drawWidth - 14
	drawTop   = 44 // where the lanes begin
	lanesMax  = 5  // accounts that have a lane of their own
	drawnMax  = 100
)

// draw gives the drawing, nil where there is nothing to draw.
func draw(d *report.Document) *timeline {
	t := &timeline{Width: drawWidth, Left: drawLeft}
	t.gather(d)
	var moments []float64
	for _, l := range t.Lanes {
		for _, m := range l.Marks {
			if moments = append(moments, m.from); m.to > m.from {
				moments = append(moments, m.to)
			}
		}
	}
	if len(moments) == 0 {
		return nil
	}
	a := newAxis(moments, drawLeft+12, drawRight)
	t.From, t.To = at(moments[0]).Format(time.DateTime), at(moments[len(moments)-1]).Format(time.DateTime)
	t.Ticks, t.Days, t.Cuts = a.ticks()
	y := drawTop
	for i, l := range t.Lanes {
		l.Y, l.Odd = y, i%2 == 1
		rows, unnamed := l.place(a)
		t.Unnamed += unnamed
		l.H, l.NameY = rows*rowHeight+2*lanePad, y+lanePad+14
		y += l.H
	}
	t.Height = y + 2
	return t
}

// gather fills the lanes and keeps those that hold something.
func (t *timeline) gather(d *report.Document) {
	who, in, stay, trace, harm := &lane{Name: "Seen from"}, &lane{Name: "Got in"}, &lane{Name: "Left behind"}, &lane{Name: "Covered up"}, &lane{Name: "Used for"}
	for i := range d.Actors {
		a := &d.Actors[i]
		t.add(who, "who", a.First, a.Last, names(a.Sources, 2)+as(names(a.Accounts, 2)), a.Claims)
	}
	for i := range d.Entry {
		e := &d.Entry[i]
		t.add(in, "entry", e.First, e.Last, way(*e)+as(e.Account), e.Claims)
	}
	for i := range d.Persistence {
		p := &d.Persistence[i]
		t.add(stay, "stay", p.Since, "", p.Mechanism+" "+p.Path, p.Claims)
	}
	for i := range d.Altered {
		a := &d.Altered[i]
		t.add(trace, "trace", alteredAt(d, a), "", a.Kind+" "+a.Path, a.Claims)
	}
	for i := range d.Impact {
		x := &d.Impact[i]
		label := x.What
		if x.Count > 0 {
			label = fmt.Sprintf("%s, %d times", x.What, x.Count)
			if x.Unit != "" {
				label = x.What + ", " + x.Counted()
			}
		}
		t.add(harm, "harm", x.First, x.Last, label+as(x.By), x.Claims)
	}
	did := t.actions(d, trace, stay, harm)
	for _, l := range slices.Concat([]*lane{who, in}, did, []*lane{stay, trace, harm}) {
		if len(l.Marks) > 0 {
			t.Lanes = append(t.Lanes, l)
		}
	}
}

// alteredAt gives the time of the act that altered a thing: the claim's own time may be that of what is missing.
func alteredAt(d *report.Document, a *story.Altered) string {
	for _, x := range d.Actions {
		if x.Path == a.Path && slices.ContainsFunc(x.Claims, func(id string) bool { return slices.Contains(a.Claims, id) }) {
			return x.Time
		}
	}
	return ""
}

// actions gives a lane to each account that did the most, and one to all others. What is drawn as left
// behind, covered up or used is not drawn again as the act that made it.
func (t *timeline) actions(d *report.Document, trace, stay, harm *lane) []*lane {
	drawn := map[string]bool{}
	for _, l := range []*lane{trace, stay, harm} {
		for _, m := range l.Marks {
			for _, id := range m.claims {
				drawn[id] = true
			}
		}
	}
	by, order := map[string]*lane{}, []*lane{}
	for i, a := range brief.Ordered(d.Actions) {
		if slices.ContainsFunc(a.Claims, func(id string) bool { return drawn[id] }) {
			continue
		}
		if i >= maxActions {
			t.Skipped++
			continue
		}
		label := strings.TrimSpace(a.What)
		if a.Path != "" && !strings.Contains(a.What, a.Path) {
			label += " " + a.Path
		}
		if strings.HasPrefix(a.Attack, "T1070") { // Indicator Removal
			t.add(trace, "trace", a.Time, "", label, a.Claims)
			continue
		}
		l := by[a.Account]
		if l == nil {
			name := "Was done" // by which account is not told
			if a.Account != "" {
				name = "Did as " + a.Account
			}
			l = &lane{Name: name}
			by[a.Account] = l
			order = append(order, l)
		}
		t.add(l, "act", a.Time, "", label, a.Claims)
	}
	slices.SortStableFunc(order, func(a, b *lane) int { return cmp.Compare(len(b.Marks), len(a.Marks)) })
	if len(order) > lanesMax {
		others := &lane{Name: "Did as others"}
		for _, l := range order[lanesMax:] {
			others.Marks = append(others.Marks, l.Marks...)
		}
		order = append(order[:lanesMax:lanesMax], others)
	}
	return order
}

// add puts a thing into a lane, unless its time is not known.
func (t *timeline) add(l *lane, class, first, last, label string, claims []string) {
	from, err := time.Parse(time.RFC3339Nano, first)
	if err != nil {
		t.Undated++
		return
	}
	if len(l.Marks) >= drawnMax && class != "act" {
		t.Skipped++
		return
	}
	m := &mark{Class: class, Label: text.Escape(clip(label, maxText)), Count: 1, from: seconds(from), claims: claims}
	m.to = m.from
	if to, err := time.Parse(time.RFC3339Nano, last); err == nil && to.After(from) {
		m.to = seconds(to)
	}
	l.Marks = append(l.Marks, m)
}

// seconds keeps years that time.Duration cannot hold.
func seconds(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 }

func as(account string) string {
	if account == "" {
		return ""
	}
	return " as " + account
}
