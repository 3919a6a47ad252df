package html

import (
	"cmp"
	"fmt"
	"slices"

	"telltale/report"
	"telltale/report/internal/brief"
	"telltale/report/internal/text"
	"telltale/story"
)

// graph is the drawing of who did what: addresses, the ways in that they took, the accounts that they then had, and what was done and left
// under each. Every line is told by the document; a box without one is something of which the evidence does not tell whose it is. Units are
// those of the drawing, about one pixel on a screen.
type graph struct {
	Width, Height int
	Heads         []heading
	Nodes         []*node
	Edges         []edge
	Loose         int // boxes that no line leads to
}

type heading struct {
	X     int
	Label string
}

// node is one box.
type node struct {
	Class       string // who, entry, account, stay, trace, harm, act, more
	Label, Note string
	Full        string // for who reads with the ears: all of it
	X, Y, W, H  int
	column      int
	in          bool // a line leads to it
}

// edge is one line; Path is how it is drawn.
type edge struct {
	Path     string
	Dashed   bool
	from, to *node
}

const (
	graphWidth = 1000
	boxHeight  = 40
	boxGap     = 12
	graphTop   = 34
	passGap    = 14
	effectsMax = 16
	columnMax  = 8
)

// columns are where each kind stands, and how wide it is.
var columns = [4]struct {
	label   string
	x, w, n int
}{{"from", 8, 196, columnMax}, {"way in", 268, 212, columnMax}, {"account", 544, 160, columnMax}, {"done and left", 768, 224, effectsMax}}

// relations gives the drawing, nil where there is nothing to draw.
func relations(d *report.Document) *graph {
	if d.Verdict.Status != story.Compromised {
		return nil
	}
	b := &weaver{g: &graph{Width: graphWidth}, by: map[string]*node{}, left: [4]int{}, drawn: map[[2]*node]bool{}}
	b.people(d)
	b.effects(d)
	if len(b.g.Nodes) == 0 {
		return nil
	}
	b.lay()
	return b.g
}

// weaver puts a graph together.
type weaver struct {
	g     *graph
	by    map[string]*node
	count [4]int
	left  [4]int // of each column, what is not drawn
	drawn map[[2]*node]bool
}

// box gives the box of a thing, nil if its column is full.
func (b *weaver) box(column int, class, key, label, note string) *node {
	k := fmt.Sprint(column, " ", key)
	if n, ok := b.by[k]; ok {
		return n
	}
	if b.count[column] >= columns[column].n {
		b.by[k] = nil
		b.left[column]++
		return nil
	}
	b.count[column]++
	room := columns[column].w - 20
	n := &node{Class: class, Label: middle(text.Escape(clip(label, maxText)), room*10/76), Note: middle(text.Escape(clip(note, maxText)), room*10/66), Full: show(label + ". " + note), column: column}
	b.by[k] = n
	b.g.Nodes = append(b.g.Nodes, n)
	return n
}

func (b *weaver) line(from, to *node, dashed bool) {
	if from == nil || to == nil || from == to || b.drawn[[2]*node{from, to}] {
		return
	}
	b.drawn[[2]*node{from, to}] = true
	to.in = true
	b.g.Edges = append(b.g.Edges, edge{from: from, to: to, Dashed: dashed})
}

// who draws an address; where it lies is looked for only of those that are drawn, for there may be very many.
func (b *weaver) who(d *report.Document, address string) *node {
	n := b.box(0, "who", address, address, "")
	if n != nil && n.Note == "" {
		if note := origin(d, address); note != "" {
			n.Note, n.Full = middle(text.Escape(clip(note, maxText)), (columns[0].w-20)*10/66), show(address+". "+note)
		}
	}
	return n
}

// people draws addresses, ways in and accounts.
func (b *weaver) people(d *report.Document) {
	for i := range d.Entry {
		e := &d.Entry[i]
		way := b.box(1, "entry", e.Vector+" "+e.Account, brief.Way(e), string(e.Status)+since(e.First))
		for _, s := range e.Sources {
			b.line(b.who(d, s), way, e.Status != story.Confirmed)
		}
		if e.Account != "" {
			b.line(way, b.box(2, "account", e.Account, e.Account, ""), e.Status != story.Confirmed)
		}
	}
	for i := range d.Actors {
		b.actor(d, &d.Actors[i])
	}
}

// actor draws what is told of somebody beside his ways in: accounts that he had in hand, and addresses of which it is known only that they
// are his. Which address had which account is not told then, so that each leads to each.
func (b *weaver) actor(d *report.Document, a *story.Actor) {
	for _, s := range a.Sources {
		b.who(d, s)
	}
	for _, name := range a.Accounts {
		acc := b.box(2, "account", name, name, "")
		if acc == nil {
			continue
		}
		known := acc.in || name == "root" && b.became(d, acc)
		for _, s := range a.Sources {
			from := b.box(0, "who", s, s, "")
			if !known || from != nil && !cameIn(d, s) {
				b.line(from, acc, true)
			}
		}
	}
}

// cameIn tells whether a way in names an address.
func cameIn(d *report.Document, address string) bool {
	return slices.ContainsFunc(d.Entry, func(e story.Entry) bool { return slices.Contains(e.Sources, address) })
}

// became draws how root was reached: from the account that came in, where the story says that root is lost and nobody came in as it.
func (b *weaver) became(d *report.Document, root *node) bool {
	if d.Verdict.Root == nil || !*d.Verdict.Root || root == nil || root.in {
		return false
	}
	for i := range d.Entry {
		if a := b.by["2 "+d.Entry[i].Account]; a != nil && a != root {
			b.line(a, root, true)
			return true
		}
	}
	return false
}

func origin(d *report.Document, address string) string {
	for i := range d.Actors {
		if a := &d.Actors[i]; slices.Contains(a.Sources, address) {
			return cmp.Or(first(a.Networks), a.Origin)
		}
	}
	return ""
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}

func since(t string) string {
	if t == "" {
		return ""
	}
	w := when(t)
	return ", " + w[:min(len(w), len("2024-03-14 02:11"))]
}

// effects draws what was done, left and changed, under the account that the document names for it.
func (b *weaver) effects(d *report.Document) {
	under := func(account string, n *node) {
		if account == "" || n == nil {
			return
		}
		acc := b.box(2, "account", account, account, "")
		if account == "root" {
			b.became(d, acc)
		}
		b.line(acc, n, false)
	}
	for i := range d.Impact {
		x := &d.Impact[i]
		label := "used for " + x.What
		if x.Unit != "" {
			label = x.What
		}
		if x.Count > 0 {
			label += ": " + x.Counted()
		}
		under(x.By, b.box(3, "harm", "impact "+x.What+" "+x.By, label, when(x.First)))
	}
	for i := range d.Running {
		r := &d.Running[i]
		under(r.User, b.box(3, "act", fmt.Sprint("pid ", r.PID), fmt.Sprintf("runs: %s", cmp.Or(r.Name, r.Exe)), fmt.Sprintf("pid %d %s", r.PID, r.Exe)))
	}
	for i := range d.Persistence {
		p := &d.Persistence[i]
		under(p.As, b.box(3, "stay", "stay "+p.Mechanism+" "+p.Path, "comes back: "+p.Mechanism, p.Path))
	}
	for i := range d.Altered {
		a := &d.Altered[i]
		under(alteredBy(d, a), b.box(3, "trace", "trace "+a.Kind+" "+a.Path, a.Kind, a.Path))
	}
}

// alteredBy gives the account of the act that altered a thing, "" where no act is told.
func alteredBy(d *report.Document, a *story.Altered) string {
	for i := range d.Actions {
		if x := &d.Actions[i]; x.Path == a.Path && slices.ContainsFunc(x.Claims, func(id string) bool { return slices.Contains(a.Claims, id) }) {
			return x.Account
		}
	}
	return ""
}

// lay gives each box its place - columns from left to right, in the order of the story - and each line its path.
func (b *weaver) lay() {
	g := b.g
	tall := 0
	for c := range columns {
		if b.left[c] > 0 {
			g.Nodes = append(g.Nodes, &node{Class: "more", Label: fmt.Sprintf("and %d more", b.left[c]), Full: "the tables tell of all", column: c, in: true})
			b.count[c]++
		}
		tall = max(tall, b.count[c])
	}
	g.Height = graphTop + tall*(boxHeight+boxGap)
	var at [4]int
	for _, n := range g.Nodes {
		c := columns[n.column]
		room := (tall - b.count[n.column]) * (boxHeight + boxGap) / 2 // columns are centred
		n.X, n.W, n.H = c.x, c.w, boxHeight
		n.Y = graphTop + room + at[n.column]*(boxHeight+boxGap)
		at[n.column]++
		if !n.in && n.column == 3 {
			g.Loose++
		}
	}
	for c, x := range columns {
		if b.count[c] > 0 {
			g.Heads = append(g.Heads, heading{x.x + 2, x.label})
		}
	}
	below := 0 // under the ways in, where lines pass that take none
	for _, n := range g.Nodes {
		if n.column == 1 {
			below = max(below, n.Y+n.H+passGap)
		}
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		if e.Path = route(e.from, e.to, below); e.to.column-e.from.column > 1 {
			g.Height = max(g.Height, below+passGap)
		}
	}
}

// route draws a line: between columns from side to side, within one past its left edge, and past the column between below it.
func route(from, to *node, below int) string {
	y1, y2 := from.Y+from.H/2, to.Y+to.H/2
	x1, x2 := from.X+from.W, to.X
	switch to.column - from.column {
	case 0:
		return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", from.X, y1, from.X-36, y1, to.X-36, y2, to.X, y2)
	case 2:
		below = max(below, y1, y2)
		return fmt.Sprintf("M%d %dC%d %d %d %d %d %dH%dC%d %d %d %d %d %d", x1, y1, x1+30, y1, x1+30, below, x1+58, below, x2-58, x2-30, below, x2-30, y2, x2, y2)
	}
	bend := (x2 - x1) / 2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+bend, y1, x2-bend, y2, x2, y2)
}

// TextY and NoteY are where a box's words stand.
func (n *node) TextY() int {
	if n.Note == "" {
		return n.Y + 25
	}
	return n.Y + 17
}

// NoteY is the second line's place.
func (n *node) NoteY() int { return n.Y + 32 }

// TextX is where both begin.
func (n *node) TextX() int { return n.X + 12 }
