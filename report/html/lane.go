package html

import (
	"cmp"
	"fmt"
	"slices"

	"telltale/report/internal/text"
)

const (
	rowHeight = 20
	lanePad   = 6
	rowsMax   = 12 // rows of one lane; further marks stay without a label
	nameMax   = 17 // characters of a lane's name
	labelMax  = 44 // characters
	charWidth = 7.1
)

// place gives each mark its place and a row where its label covers no other. It tells how many rows the lane
// took, and how many marks stay without a label.
func (l *lane) place(a *axis) (rows, unnamed int) {
	l.Name = middle(text.Escape(l.Name), nameMax)
	slices.SortStableFunc(l.Marks, func(a, b *mark) int { return cmp.Compare(a.from, b.from) })
	for _, m := range l.Marks {
		m.X, m.X2, m.Time, m.Label = a.x(m.from), a.x(m.to), a.clock(m.from), middle(m.Label, labelMax)
	}
	l.merge()
	var taken [rowsMax][][2]int
	for _, m := range l.Marks {
		row := m.fit(&taken)
		if row < 0 {
			unnamed++
			m.Anchor, row = "", rowsMax
		}
		rows = max(rows, row+1)
		m.Y = l.Y + lanePad + row*rowHeight + rowHeight/2
		if m.TextY = m.Y + 4; m.X2 > m.X {
			m.TextY-- // off its bar
		}
	}
	return rows, unnamed
}

// merge makes one mark of those beside each other that say the same.
func (l *lane) merge() {
	var out []*mark
	for _, m := range l.Marks {
		if n := len(out); n > 0 {
			if o := out[n-1]; o.Label == m.Label && m.X-o.X < 12 && m.X2 == m.X && o.X2 == o.X {
				o.Count++
				continue
			}
		}
		out = append(out, m)
	}
	l.Marks = out
}

// fit finds the first row with room, on the right of the mark or else on its left, and takes it. It gives -1 if none has.
func (m *mark) fit(taken *[rowsMax][][2]int) int {
	width := m.width()
	lo, hi := m.X-8, max(m.X+14+width, m.X2+6)
	m.Anchor, m.TextX = "start", m.X+11
	if m.X+14+width > drawRight {
		lo, hi = m.X-14-width, max(m.X, m.X2)+8
		m.Anchor, m.TextX = "end", m.X-11
	}
	for row := range taken {
		if !slices.ContainsFunc(taken[row], func(t [2]int) bool { return lo < t[1] && t[0] < hi }) {
			taken[row] = append(taken[row], [2]int{lo, hi})
			return row
		}
	}
	return -1
}

// width is the room that the label takes in the widest of the usual fonts, with its time and number.
func (m *mark) width() int {
	w := float64(len(m.Time)+1) * charWidth
	for _, r := range m.Label {
		if w += charWidth; r >= 0x1100 { // from Hangul on: twice as wide
			w += charWidth
		}
	}
	if m.Count > 1 {
		w += 5 * charWidth
	}
	return int(w)
}

// BarY is where the line of a thing that lasted lies, below its label.
func (m *mark) BarY() int { return m.Y + 9 }

// Shape is the outline of a mark: each kind has its own, so that it can be told without colour.
func (m *mark) Shape() string {
	switch m.Class {
	case "entry": // a diamond
		return fmt.Sprintf("M%d %dl7 7-7 7-7-7z", m.X, m.Y-7)
	case "stay": // a square
		return fmt.Sprintf("M%d %dh10v10h-10z", m.X-5, m.Y-5)
	case "trace": // a triangle
		return fmt.Sprintf("M%d %dl6 11h-12z", m.X, m.Y-6)
	case "harm": // a cross
		return fmt.Sprintf("M%d %dh4v4h4v4h-4v4h-4v-4h-4v-4h4z", m.X-2, m.Y-6)
	case "who": // an upright stroke
		return fmt.Sprintf("M%d %dh4v12h-4z", m.X-2, m.Y-6)
	}
	return fmt.Sprintf("M%d %da5 5 0 1 0 10 0a5 5 0 1 0-10 0z", m.X-5, m.Y)
}

// middle shortens a label in its middle: a path's end says more than what leads to it.
func middle(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n/2]) + "…" + string(r[len(r)-(n-n/2-1):])
}
