// Package clockfit finds how one clock goes against another from events that both have told. The pairs may be wrong in part:
// what looks like the same event may be another. A clock runs ahead by some seconds, drifts by some a day, and now and then jumps, mostly
// by an hour, where somebody changed its zone.
package clockfit

import (
	"math"
	"slices"
)

// Pair is one event: the time of the reference clock, and how far the other clock is ahead of it, in seconds.
type Pair struct{ At, Ahead float64 }

// Line is how the other clock went for some time: at the reference time t it was Offset + Drift * (t - Zero) / 86400 seconds ahead.
type Line struct {
	From, To float64 // of the reference clock: the first and last pair
	Zero     float64
	Offset   float64 // seconds ahead at Zero
	Drift    float64 // seconds a day
	Error    float64 // seconds within which nineteen of twenty pairs lie, half a second at least
	Pairs    int     // that fit
	Misfits  int     // that do not
}

// Least is how many pairs a line needs: fewer may be chance.
const Least = 6

// The bounds of the search.
const (
	tolerance = 3.0  // seconds within which a pair fits a line: stamps of whole seconds, and messages on their way
	fastest   = 300  // seconds a day: no clock that anybody uses drifts more
	share     = 0.05 // of all pairs that a line has to explain
	maxLines  = 12
	thinned   = 240 // pairs that lines are looked for among
)

// Fit gives the lines in the order of time, none where the pairs show nothing.
func Fit(pairs []Pair) (lines []Line) {
	pairs = slices.Clone(pairs)
	slices.SortFunc(pairs, func(a, b Pair) int {
		switch {
		case a.At < b.At:
			return -1
		case a.At > b.At:
			return 1
		}
		return 0
	})
	of := make([]int, len(pairs)) // the line that each pair fits, counted from 1
	for n := 1; n <= maxLines; n++ {
		var free []Pair
		for i, p := range pairs {
			if of[i] == 0 {
				free = append(free, p)
			}
		}
		if !best(free, pairs, of, n) {
			break
		}
	}
	return runs(pairs, of)
}

// best finds the line that most of the free pairs fit, and marks those that do. Pairs of other events are scattered over days, so that hardly any of
// them fits by chance.
func best(free, pairs []Pair, of []int, n int) bool {
	if len(free) < Least {
		return false
	}
	thin := free
	if len(free) > thinned {
		thin = make([]Pair, thinned)
		for i := range thin {
			thin[i] = free[i*len(free)/thinned]
		}
	}
	span := free[len(free)-1].At - free[0].At
	var zero, a, b float64
	most := 0
	try := func(z, x, y float64) {
		k := 0
		for _, p := range thin {
			if math.Abs(p.Ahead-x-y*(p.At-z)) <= tolerance {
				k++
			}
		}
		if k > most {
			most, zero, a, b = k, z, x, y
		}
	}
	for i, p := range thin {
		try(p.At, p.Ahead, 0)
		for _, q := range thin[i+1:] {
			d := q.At - p.At
			if slope := (q.Ahead - p.Ahead) / d; d > 3600 && d > span/16 && math.Abs(slope) <= fastest/86400.0 {
				try(p.At, p.Ahead, slope)
			}
		}
	}
	if most < Least || float64(most) < share*float64(len(thin)) {
		return false
	}
	for range 2 { // the line through two stamps of whole seconds is a rough one
		var fit []Pair
		for _, p := range free {
			if math.Abs(p.Ahead-a-b*(p.At-zero)) <= tolerance {
				fit = append(fit, p)
			}
		}
		if span > 3600 {
			zero = fit[0].At
			a, b = squares(fit, zero)
		}
	}
	found := 0
	for i, p := range pairs {
		if of[i] == 0 && math.Abs(p.Ahead-a-b*(p.At-zero)) <= tolerance {
			of[i] = n
			found++
		}
	}
	return found >= Least
}

// runs gives the lines in the order of time: one for each run of pairs that fit the same one.
func runs(pairs []Pair, of []int) (lines []Line) {
	var fit []Pair
	misfits, last := 0, 0
	flush := func() {
		if len(fit) >= Least {
			lines = append(lines, line(fit, misfits))
		}
		fit, misfits = nil, 0
	}
	for i, p := range pairs {
		switch of[i] {
		case 0:
			misfits++
			continue
		case last:
		default:
			flush()
			last = of[i]
		}
		fit = append(fit, p)
	}
	flush()
	for i := len(lines) - 1; i > 0; i-- { // a run that a stray pair had cut
		if a, b := &lines[i-1], &lines[i]; math.Abs(a.Ahead(b.From)-b.Ahead(b.From)) <= tolerance && math.Abs(a.Drift-b.Drift) < 1 {
			a.To, a.Pairs, a.Misfits, a.Error = b.To, a.Pairs+b.Pairs, a.Misfits+b.Misfits, max(a.Error, b.Error)
			lines = slices.Delete(lines, i, i+1)
		}
	}
	return lines
}

// line is that of pairs which fit one. Of pairs within hours, the drift cannot be told from the stamps' whole seconds.
func line(fit []Pair, misfits int) Line {
	zero, end := fit[0].At, fit[len(fit)-1].At
	a, b := 0.0, 0.0
	if end-zero > 6*3600 {
		a, b = squares(fit, zero)
	} else {
		for _, p := range fit {
			a += p.Ahead / float64(len(fit))
		}
	}
	errs := make([]float64, len(fit))
	for i, p := range fit {
		errs[i] = math.Abs(p.Ahead - a - b*(p.At-zero))
	}
	slices.Sort(errs)
	return Line{From: zero, To: end, Zero: zero, Offset: a, Drift: b * 86400, Error: max(errs[(len(errs)-1)*19/20], 0.5), Pairs: len(fit), Misfits: misfits}
}

// squares is the line of least squares.
func squares(pairs []Pair, zero float64) (a, b float64) {
	var n, sx, sy float64
	for _, p := range pairs {
		n, sx, sy = n+1, sx+p.At-zero, sy+p.Ahead
	}
	mx, my := sx/n, sy/n
	var sxx, sxy float64
	for _, p := range pairs {
		dx := p.At - zero - mx
		sxx += dx * dx
		sxy += dx * (p.Ahead - my)
	}
	if sxx > 0 {
		b = sxy / sxx
	}
	return my - b*mx, b
}

// Ahead gives how far the other clock was ahead at a reference time, in seconds.
func (l *Line) Ahead(t float64) float64 { return l.Offset + l.Drift*(t-l.Zero)/86400 }

// Reference gives the reference time of a time that the other clock showed. Before the first pair and behind the last, the nearest line is gone on with.
func Reference(lines []Line, other float64) float64 {
	for i := range lines {
		l := &lines[i]
		t := l.back(other)
		if i == len(lines)-1 || t <= l.To || t-l.To < lines[i+1].From-lines[i+1].back(other) {
			return t
		}
	}
	return other
}

// back solves other = t + Ahead(t) for t.
func (l *Line) back(other float64) float64 {
	b := l.Drift / 86400
	return (other - l.Offset + b*l.Zero) / (1 + b)
}
