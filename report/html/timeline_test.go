package html

import (
	"fmt"
	"math"
	"testing"
	"time"

	"telltale/report"
	"telltale/story"
)

// acts gives acts at these seconds behind a start, by accounts that take turns.
func acts(accounts int, seconds ...int64) *report.Document {
	d := &report.Document{}
	start := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, s := range seconds {
		d.Actions = append(d.Actions, story.Action{Time: start.Add(time.Duration(s) * time.Second).Format(time.RFC3339), Account: fmt.Sprint("user", i%accounts), What: fmt.Sprintf("did thing %d of a kind that takes some words", i)})
	}
	return d
}

func every(n int, seconds int64) (out []int64) {
	for i := range n {
		out = append(out, int64(i)*seconds)
	}
	return out
}

func TestLabelsDoNotCoverEachOther(t *testing.T) {
	for name, d := range map[string]*report.Document{
		"one":                 acts(1, 0),
		"all at once":         acts(1, make([]int64, 50)...),
		"every minute":        acts(1, every(200, 60)...),
		"every day":           acts(3, every(300, 86400)...),
		"burst, weeks, burst": acts(2, 0, 1, 2, 5, 9, 3000000, 3000002, 3000007, 9000000),
		"many accounts":       acts(40, every(400, 7)...),
		"centuries":           acts(1, 0, 5, 86400*365*200),
		"example":             example(),
	} {
		t.Run(name, func(t *testing.T) {
			tl := draw(d)
			if tl == nil {
				t.Fatal("nothing is drawn")
			}
			marks, unnamed := 0, 0
			for _, l := range tl.Lanes {
				marks += check(t, tl, l)
				for _, m := range l.Marks {
					if m.Anchor == "" {
						unnamed++
					}
				}
			}
			if unnamed != tl.Unnamed {
				t.Errorf("%d marks have no label, told are %d", unnamed, tl.Unnamed)
			}
			if n := len(d.Actions); name != "example" && marks+tl.Skipped+tl.Undated != n {
				t.Errorf("%d of %d things are drawn or told to be left out", marks+tl.Skipped+tl.Undated, n)
			}
			scale(t, tl.Ticks, 40)
			scale(t, tl.Days, 70)
		})
	}
}

// check looks at one lane and counts the things in it.
func check(t *testing.T, tl *timeline, l *lane) (n int) {
	t.Helper()
	type box struct{ x0, x1, y int }
	var boxes []box
	for _, m := range l.Marks {
		n += m.Count
		if m.X < drawLeft || m.X > drawRight || m.Y < l.Y || m.Y > l.Y+l.H || m.Y > tl.Height {
			t.Errorf("a mark lies outside of its lane: %+v", m)
		}
		b := box{m.TextX, m.TextX + m.width(), m.Y}
		switch m.Anchor {
		case "":
			continue
		case "end":
			b = box{m.TextX - m.width(), m.TextX, m.Y}
		}
		if b.x0 < drawLeft || b.x1 > drawWidth {
			t.Errorf("a label runs out of the drawing: %+v", m)
		}
		for _, o := range boxes {
			if o.y == b.y && b.x0 < o.x1 && o.x0 < b.x1 {
				t.Errorf("labels cover each other: %+v and %+v", o, b)
			}
		}
		boxes = append(boxes, b)
	}
	return n
}

func scale(t *testing.T, ticks []tick, room int) {
	t.Helper()
	for i := 1; i < len(ticks); i++ {
		if ticks[i].X-ticks[i-1].X < room {
			t.Errorf("%+v and %+v are too close", ticks[i-1], ticks[i])
		}
	}
	if len(ticks) == 0 || len(ticks) > 40 {
		t.Errorf("%d ticks", len(ticks))
	}
}

func TestTheAxisKeepsTheOrderOfTime(t *testing.T) {
	var moments []float64
	for _, day := range []float64{0, 1, 40, 41, 400, 9000} {
		for i := range 9 {
			moments = append(moments, day*86400+float64(i*i))
		}
	}
	a := newAxis(moments, drawLeft, drawRight)
	if len(a.stretches) != 6 {
		t.Errorf("%d stretches for six bursts", len(a.stretches))
	}
	last := math.MinInt
	for _, m := range moments {
		x := a.x(m)
		if x < last || x < drawLeft || x > drawRight {
			t.Errorf("%v lies at %d, behind %d", m, x, last)
		}
		last = x
	}
}

func TestTimesThatAreNone(t *testing.T) {
	d := acts(1, 0)
	for _, s := range []string{"", "yesterday", "2024-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"} {
		d.Actions = append(d.Actions, story.Action{Time: s, What: "x"})
	}
	if tl := draw(d); tl.Undated != 3 {
		t.Errorf("%d of 3 times are told to be unknown", tl.Undated)
	}
	if draw(&report.Document{}) != nil {
		t.Error("something is drawn of nothing")
	}
}
