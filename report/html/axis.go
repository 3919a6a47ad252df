package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// axis maps times to the drawing's width. Long silences are cut out of it, so that a burst of minutes can
// be read though the next came weeks later; within a stretch it is linear. Times are seconds since 1970.
type axis struct {
	stretches []stretch
}

type stretch struct {
	from, to    float64 // what the stretch shows, with some room
	first, last float64 // the moments in it
	x0, x1      float64
	count       int
}

// tick is a word on the axis.
type tick struct {
	X     int
	Label string
}

const (
	maxCuts      = 5
	cutRatio     = 5    // a silence is cut if it is so many times longer than the longest that stays
	cutSeconds   = 120  // and not shorter than this
	cutWidth     = 64.0 // units of the drawing that a cut takes
	stretchWidth = 78.0 // that a stretch takes at least
	tickWidth    = 72.0
)

const (
	minute = 60.0
	hour   = 60 * minute
	day    = 24 * hour
	year   = 365 * day
)

// steps are the distances between ticks.
var steps = []float64{1, 2, 5, 10, 15, 30, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour,
	day, 2 * day, 7 * day, 14 * day, 30 * day, 91 * day, 182 * day, year, 5 * year, 25 * year, 100 * year, 500 * year, 2500 * year}

// newAxis lays out at least one moment between two places. It sorts the moments.
func newAxis(moments []float64, left, right float64) *axis {
	slices.Sort(moments)
	cuts := silences(moments)
	a := &axis{}
	start, weight := 0, 0.0
	for i := range moments {
		if i == len(moments)-1 || cuts[i] {
			s := padded(moments[start : i+1])
			a.stretches = append(a.stretches, s)
			start, weight = i+1, weight+s.weight()
		}
	}
	n := float64(len(a.stretches))
	room, x := right-left-(n-1)*cutWidth-n*stretchWidth, left
	for i := range a.stretches {
		s := &a.stretches[i]
		s.x0, s.x1 = x, x+stretchWidth+room*s.weight()/weight
		x = s.x1 + cutWidth
	}
	return a
}

// weight is a stretch's claim to room: by what happened in it, not by how long it took.
func (s stretch) weight() float64 { return float64(min(s.count, 20)) }

func padded(moments []float64) stretch {
	first, last := moments[0], moments[len(moments)-1]
	pad := max((last-first)*0.03, 1)
	return stretch{from: first - pad, to: last + pad, first: first, last: last, count: len(moments)}
}

// silences tells behind which moments the axis is cut: the few longest gaps, if they are of another order than the rest.
func silences(moments []float64) map[int]bool {
	type gap struct {
		after  int
		length float64
	}
	var gaps []gap
	for i := 1; i < len(moments); i++ {
		if l := moments[i] - moments[i-1]; l > 0 {
			gaps = append(gaps, gap{i - 1, l})
		}
	}
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(b.length, a.length) })
	cuts := map[int]bool{}
	for k := min(maxCuts, len(gaps)-1); k > 0; k-- {
		if l := gaps[k-1].length; l >= cutSeconds && l >= cutRatio*gaps[k].length {
			for _, g := range gaps[:k] {
				cuts[g.after] = true
			}
			break
		}
	}
	return cuts
}

func (a *axis) stretch(t float64) stretch {
	for _, s := range a.stretches {
		if t <= s.to {
			return s
		}
	}
	return a.stretches[len(a.stretches)-1]
}

// x gives the place of a time.
func (a *axis) x(t float64) int {
	s := a.stretch(t)
	f := min(max((t-s.from)/(s.to-s.from), 0), 1)
	return int(math.Round(s.x0 + f*(s.x1-s.x0)))
}

// clock gives a time in as few words as its stretch allows.
func (a *axis) clock(t float64) string {
	if s := a.stretch(t); at(s.first).Format(time.DateOnly) != at(s.last).Format(time.DateOnly) {
		return at(t).Format("2 Jan 15:04")
	}
	return at(t).Format(time.TimeOnly)
}

// ticks gives the marks of the scale, the days above them, and the cuts.
func (a *axis) ticks() (ticks, days, cuts []tick) {
	for i, s := range a.stretches {
		if i > 0 {
			cuts = append(cuts, tick{int(s.x0 - cutWidth/2), long(s.first - a.stretches[i-1].last)})
		}
		days = append(days, tick{int(s.x0), at(s.first).Format(time.DateOnly)})
		step, n := s.step(), len(ticks)
		for t := math.Ceil(s.from/step) * step; t <= s.to; t += step {
			if x := s.x0 + (t-s.from)/(s.to-s.from)*(s.x1-s.x0); x >= s.x0+20 && x <= s.x1-20 {
				ticks = append(ticks, tick{int(x), tickLabel(t, step)})
			}
		}
		if len(ticks) == n {
			ticks = append(ticks, tick{a.x(s.first), at(s.first).Format(time.TimeOnly)})
		}
	}
	return ticks, days, cuts
}

// step gives the least distance between ticks that leaves room for their words.
func (s stretch) step() float64 {
	for _, step := range steps {
		if step/(s.to-s.from)*(s.x1-s.x0) >= tickWidth {
			return step
		}
	}
	return max(s.to-s.from, 1)
}

func at(t float64) time.Time { return time.Unix(int64(math.Floor(t)), 0).UTC() }

func tickLabel(t, step float64) string {
	switch {
	case step >= 30*day:
		return at(t).Format(time.DateOnly)
	case math.Mod(t, day) == 0:
		return at(t).Format("2 Jan")
	case step < minute:
		return at(t).Format(time.TimeOnly)
	}
	return at(t).Format("15:04")
}

// long says how long a silence is.
func long(seconds float64) string {
	switch {
	case seconds >= 2*year:
		return fmt.Sprintf("%.0f years", seconds/year)
	case seconds >= 2*day:
		return fmt.Sprintf("%.0f days", seconds/day)
	case seconds >= 2*hour:
		return fmt.Sprintf("%.0f hours", seconds/hour)
	}
	return fmt.Sprintf("%.0f min", seconds/minute)
}
