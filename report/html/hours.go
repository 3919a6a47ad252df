package html

// bar is one hour of an actor's day, as it is drawn.
type bar struct {
	X, Y, H int
	Hour    int
	Count   int
}

const hoursHeight = 48

// hours draws the counts of an actor's acts by the hour of the day, UTC; nothing unless there are 24.
func hours(counts []int) []bar {
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	if len(counts) != 24 || most == 0 {
		return nil
	}
	out := make([]bar, 24)
	for i, n := range counts {
		h := 0
		if n > 0 {
			h = max(int(float64(n)/float64(most)*hoursHeight), 2)
		}
		out[i] = bar{X: i * 14, Y: hoursHeight - h, H: h, Hour: i, Count: n}
	}
	return out
}
