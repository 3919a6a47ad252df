package html

import (
	"fmt"
	"sort"
	"time"

	"telltale/report"
	"telltale/report/internal/text"
)

// timeline is the drawing of the story: a column of moments in the order of time, with the gaps between them
// in words. Moments that are close together share a mark, so that no label covers another.
type timeline struct {
	Width, Height int
	Marks         []mark
	From, To      string
}

type mark struct {
	Y, TextY int
	Class    string // entry, act, stay, trace, harm
	Time     string
	Label    string
	Gap      string // how long behind the one before
	GapY     int
}

const (
	maxMarks  = 60
	rowHeight = 26 // units of the drawing
	gapHeight = 14
	labelMax  = 110 // characters
)

type moment struct {
	at           time.Time
	class, label string
}

// draw gives the drawing, nil where there is nothing to draw.
func draw(d *report.Document) *timeline {
	var ms []moment
	add := func(at, class, label string) {
		if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
			ms = append(ms, moment{t, class, label})
		}
	}
	for _, e := range d.Entry {
		from := ""
		if len(e.Sources) > 0 {
			from = " from " + e.Sources[0]
		}
		add(e.First, "entry", "got in: "+e.Vector+" as "+e.Account+from)
	}
	for _, p := range d.Persistence {
		add(p.Since, "stay", p.Mechanism+" "+p.Path)
	}
	for _, i := range d.Impact {
		add(i.First, "harm", fmt.Sprintf("%s: %d by %s", i.What, i.Count, i.By))
		if i.Last != i.First {
			add(i.Last, "harm", i.What+" ends")
		}
	}
	known := map[string]bool{}
	for _, p := range d.Persistence {
		known[p.Path] = true
	}
	for _, a := range d.Actions {
		class := "act"
		switch {
		case a.Attack == "T1534" || known[a.Path] && a.Path != "":
			continue // drawn above
		case len(a.Attack) >= 5 && a.Attack[:5] == "T1070":
			class = "trace"
		}
		s := a.What
		if a.Path != "" {
			s += " " + a.Path
		}
		add(a.Time, class, s)
	}
	if len(ms) == 0 {
		return nil
	}
	sort.SliceStable(ms, func(i, j int) bool { return ms[i].at.Before(ms[j].at) })
	left := 0
	if len(ms) > maxMarks {
		left = len(ms) - maxMarks
		ms = ms[:maxMarks]
	}
	t := &timeline{Width: 1000, From: ms[0].at.UTC().Format("2006-01-02 15:04:05"), To: ms[len(ms)-1].at.UTC().Format("2006-01-02 15:04:05")}
	y := 22
	for i, m := range ms {
		k := mark{Class: m.class, Time: m.at.UTC().Format("01-02 15:04:05"), Label: text.Escape(cut(m.label))}
		if i > 0 {
			if gap := m.at.Sub(ms[i-1].at); gap >= 2*time.Minute {
				k.Gap, k.GapY = "… "+words(gap)+" …", y-4
				y += gapHeight
			}
		}
		k.Y, k.TextY = y, y+4
		y += rowHeight
		t.Marks = append(t.Marks, k)
	}
	if left > 0 {
		t.Marks = append(t.Marks, mark{Class: "act", Y: y, TextY: y + 4, Label: fmt.Sprintf("and %d more, in the table below", left)})
		y += rowHeight
	}
	t.Height = y
	return t
}

func cut(s string) string {
	r := []rune(s)
	if len(r) > labelMax {
		return string(r[:labelMax]) + "…"
	}
	return s
}

func words(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days later", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours later", int(d.Hours()))
	}
	return fmt.Sprintf("%d minutes later", int(d.Minutes()))
}
