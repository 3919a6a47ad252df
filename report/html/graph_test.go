package html

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"telltale/report"
	"telltale/report/reporttest"
	"telltale/story"
)

// crowd is a break-in with n of everything.
func crowd(n int) *report.Document {
	d := &report.Document{}
	d.Verdict.Status = story.Compromised
	for i := range n {
		ip, acc := fmt.Sprintf("203.0.113.%d", i), fmt.Sprint("user", i)
		d.Entry = append(d.Entry, story.Entry{Vector: "ssh-key", Status: story.Likely, Account: acc, Sources: []string{ip}})
		d.Actors = append(d.Actors, story.Actor{Sources: []string{ip, "198.51.100.7"}, Accounts: []string{acc, "root"}})
		d.Persistence = append(d.Persistence, story.Persistence{Mechanism: "cron", Path: fmt.Sprint("/etc/cron.d/", i), As: "root"})
		d.Impact = append(d.Impact, story.Impact{What: fmt.Sprint("spam", i), By: acc, Count: 3})
		d.Running = append(d.Running, story.Running{PID: i, Name: "x", User: "root"})
		d.Altered = append(d.Altered, story.Altered{Kind: "log-cut", Path: fmt.Sprint(i)})
	}
	return d
}

func TestTheGraphIsBounded(t *testing.T) {
	for name, d := range map[string]*report.Document{"example": example(), "one": crowd(1), "many": crowd(3000), "hostile": reporttest.Compromised(reporttest.Words)} {
		g := relations(d)
		if g == nil {
			t.Fatalf("%s: nothing is drawn", name)
		}
		if len(g.Nodes) > 3*columnMax+effectsMax+4 || g.Height > 1200 {
			t.Errorf("%s: %d boxes, %d high", name, len(g.Nodes), g.Height)
		}
		on := map[*node]bool{}
		for i, n := range g.Nodes {
			on[n] = true
			if n.X < 0 || n.X+n.W > g.Width || n.Y < graphTop || n.Y+n.H > g.Height {
				t.Errorf("%s: a box lies outside of the drawing: %+v", name, n)
			}
			if w := len([]rune(n.Label)) * 76 / 10; w > n.W {
				t.Errorf("%s: %q runs out of its box", name, n.Label)
			}
			for _, o := range g.Nodes[:i] {
				if o.X < n.X+n.W && n.X < o.X+o.W && o.Y < n.Y+n.H && n.Y < o.Y+o.H {
					t.Errorf("%s: %q and %q cover each other", name, o.Label, n.Label)
				}
			}
		}
		for _, e := range g.Edges {
			if !on[e.from] || !on[e.to] || e.Path == "" {
				t.Errorf("%s: a line leads to what is not drawn: %+v", name, e)
			}
		}
	}
	if g := relations(crowd(3000)); !strings.HasPrefix(g.Nodes[len(g.Nodes)-1].Label, "and ") {
		t.Error("what is not drawn is not told")
	}
}

// TestNoAddressOfAnIntruderStandsAlone takes one that no way in names.
func TestNoAddressOfAnIntruderStandsAlone(t *testing.T) {
	d := example()
	d.Actors[0].Sources = append(d.Actors[0].Sources, "203.0.113.99")
	g := relations(d)
	for _, n := range g.Nodes {
		if n.column == 0 && !slices.ContainsFunc(g.Edges, func(e edge) bool { return e.from == n }) {
			t.Errorf("%s leads nowhere", n.Label)
		}
	}
}

func TestTheGraphIsTheSameEachTime(t *testing.T) {
	want := fmt.Sprint(dump(relations(crowd(30))))
	for range 5 {
		if got := fmt.Sprint(dump(relations(crowd(30)))); got != want {
			t.Fatalf("%s\n%s", got, want)
		}
	}
}

func dump(g *graph) (out []string) {
	for _, n := range g.Nodes {
		out = append(out, fmt.Sprintf("%+v", *n))
	}
	for _, e := range g.Edges {
		out = append(out, e.Path)
	}
	return out
}

func TestNothingIsDrawnOfNobody(t *testing.T) {
	for _, status := range []string{"", story.Attacked, story.Clean, string(story.CannotTell)} {
		d := example()
		d.Verdict.Status = status
		if relations(d) != nil {
			t.Errorf("%q: a graph accuses", status)
		}
	}
	if relations(&report.Document{Story: story.Story{Verdict: story.Verdict{Status: story.Compromised}}}) != nil {
		t.Error("something is drawn of nothing")
	}
}

func TestHours(t *testing.T) {
	if hours(nil) != nil || hours(make([]int, 24)) != nil || hours([]int{1, 2, 3}) != nil {
		t.Error("something is drawn of nothing")
	}
	counts := make([]int, 24)
	counts[3], counts[4], counts[5] = math.MaxInt, 1, -5
	b := hours(counts)
	if b[3].H != hoursHeight || b[4].H != 2 || b[5].H != 0 || b[3].Y != 0 {
		t.Errorf("%+v", b[3:6])
	}
}

// TestGoals renders the page for each goal.
func TestGoals(t *testing.T) {
	d := example()
	d.Goal = report.Restart
	page := render(t, d)
	if !strings.Contains(page, "Can it go back?") || strings.Contains(page, `id="claims"`) || strings.Contains(page, `href="#c1"`) || len(page) > 40_000 {
		t.Errorf("the short answer is not short: %d bytes", len(page))
	}
	d.Goal = report.Legal
	page = render(t, d)
	for _, want := range []string{`id="custody"`, `id="exhibits"`, "E14", "00001.txt", `<details class="claim" open id="c1">`, "for reading only", "not computed"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page for a court does not hold %q", want)
		}
	}
	d.Goal = report.RootCause
	if page = render(t, d); strings.Contains(page, `id="exhibits"`) || !strings.Contains(page, "The answers") {
		t.Error("the usual page holds exhibits, or no answers")
	}
	for _, goal := range report.Goals() {
		hostile := reporttest.Compromised(reporttest.Words)
		hostile.Goal = goal
		if page := render(t, hostile); reporttest.Steers(page) || strings.Contains(strings.ToLower(page), "<script") || strings.Contains(page, "<img") {
			t.Errorf("%s: evidence is alive in the page", goal)
		}
	}
}
