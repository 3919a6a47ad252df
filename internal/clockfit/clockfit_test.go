package clockfit_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"telltale/internal/clockfit"
)

// day is in seconds; start is some time of 2024.
const (
	day   = 86400.0
	start = 1.72e9
)

// pairs gives n events over days, told in whole seconds by two clocks; wrong of a hundred are mismatched by up to a day.
func pairs(r *rand.Rand, n int, days float64, ahead func(t float64) float64, wrong int) (out []clockfit.Pair) {
	for range n {
		t := start + r.Float64()*days*day
		other := math.Floor(t + ahead(t) + 0.2*r.Float64())
		if r.IntN(100) < wrong {
			other += (r.Float64() - 0.5) * 2 * day
		}
		out = append(out, clockfit.Pair{At: math.Floor(t), Ahead: other - math.Floor(t)})
	}
	return out
}

func TestOffsetAndDrift(t *testing.T) {
	for _, tc := range []struct {
		name          string
		offset, drift float64
		n             int
		days          float64
		wrong         int
	}{
		{"287 minutes, 5 seconds a day", 287 * 60, 5, 200, 20, 0},
		{"the same, a quarter of the pairs wrong", 287 * 60, 5, 200, 20, 25},
		{"behind, and slow", -3600.5, -0.8, 500, 60, 10},
		{"the same clock", 0, 0, 50, 3, 0},
		{"few pairs of one hour", 12, 0, 8, 0.04, 0},
		{"many pairs", 90, 2, 20000, 30, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			ahead := func(x float64) float64 { return tc.offset + tc.drift*(x-start)/day }
			lines := clockfit.Fit(pairs(r, tc.n, tc.days, ahead, tc.wrong))
			if len(lines) != 1 {
				t.Fatalf("%d lines, the first %+v", len(lines), lines[:min(1, len(lines))])
			}
			for x := start; x <= start+tc.days*day; x += tc.days * day / 50 {
				if got := clockfit.Reference(lines, x+ahead(x)); math.Abs(got-x) > 2 {
					t.Fatalf("at %f: wrong by %f seconds: %+v", x-start, got-x, lines)
				}
			}
			if lines[0].Error > 2 || lines[0].Pairs < tc.n*6/10 {
				t.Errorf("%+v", lines[0])
			}
		})
	}
}

func TestAZoneWasChanged(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	change := start + 7.3*day
	ahead := func(x float64) float64 {
		if x < change {
			return 3600 + 0.5*(x-start)/day
		}
		return -5*3600 + 0.5*(x-start)/day
	}
	lines := clockfit.Fit(pairs(r, 400, 15, ahead, 5))
	if len(lines) != 2 {
		t.Fatalf("%+v", lines)
	}
	if math.Abs(lines[0].To-change) > day/4 || math.Abs(lines[1].From-change) > day/4 {
		t.Errorf("the change is told at %f and %f, it was at %f", lines[0].To-start, lines[1].From-start, change-start)
	}
	for _, x := range []float64{start + day, change - day/2, change + day/2, start + 14*day} {
		if got := clockfit.Reference(lines, x+ahead(x)); math.Abs(got-x) > 2 {
			t.Errorf("at %f: wrong by %f", (x-start)/day, got-x)
		}
	}
}

func TestNothingIsMadeOfNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var noise []clockfit.Pair
	for range 300 {
		noise = append(noise, clockfit.Pair{At: start + r.Float64()*20*day, Ahead: (r.Float64() - 0.5) * 30 * day})
	}
	if lines := clockfit.Fit(noise); len(lines) > 0 {
		t.Errorf("%d lines, the first %+v", len(lines), lines[0])
	}
	if got := clockfit.Fit(noise[:4]); len(got) != 0 {
		t.Errorf("of four pairs: %+v", got)
	}
	if got := clockfit.Fit(nil); len(got) != 0 {
		t.Errorf("of none: %+v", got)
	}
}
