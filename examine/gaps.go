package examine

import (
	"fmt"
	"slices"
	"time"

	"telltale/artifact"
	"telltale/casefile"
	"telltale/event"
)

const (
	maxGaps     = 10 // told of one log
	fewHours    = 48 // hours in which a log has to tell something before it has a rhythm
	fewDays     = 7  // days before it has one for each hour of the day
	often       = 0.85
	always      = 0.95
	fewRecords  = 2000
	expected    = 50 // records that a silence within the hour should have had
	maxDays     = 20 * 366
	maxMarks    = 10_000
	nearAMark   = 3600 // seconds
	secondsHour = 3600
)

// daily is a log's rhythm by the hour of the day: nightly silence is normal on a small server.
type daily struct {
	hours       []int64     // since 1970, that tell something, in order
	share       [24]float64 // of the days, those on which the log tells something in this hour: also weekends may be silent
	usual       [24]int64   // how many records it has in this hour: the median, so that a flood of one day is nobody's rhythm
	days        int
	first, last int64
}

func dailyOf(s *artifact.Seen) *daily {
	d := &daily{}
	for h := range s.Hours {
		d.hours = append(d.hours, h)
	}
	if len(d.hours) < fewHours {
		return nil
	}
	slices.Sort(d.hours)
	d.first, d.last = d.hours[0], d.hours[len(d.hours)-1]
	d.days = int((d.last-d.first)/24) + 1
	if d.days > maxDays {
		return nil
	}
	var counts [24][]int64
	for h := d.first; h <= d.last; h++ {
		counts[h%24] = append(counts[h%24], int64(s.Hours[h]))
	}
	for i, c := range counts {
		if slices.Sort(c); len(c) == 0 {
			continue
		}
		zeros, _ := slices.BinarySearch(c, 1)
		d.share[i], d.usual[i] = 1-float64(zeros)/float64(len(c)), c[len(c)/2]
	}
	return d
}

// gaps finds the silences of a log that has a rhythm.
func gaps(s *artifact.Seen) []casefile.Gap {
	out := []casefile.Gap{}
	d := dailyOf(s)
	if d == nil {
		return out
	}
	for i := 1; i < len(d.hours) && len(out) < maxGaps; i++ {
		if h := d.missed(d.hours[i-1]+1, d.hours[i]); h > 2 {
			out = append(out, gap((d.hours[i-1]+1)*secondsHour, d.hours[i]*secondsHour, d.why(h, d.hours[i]-d.hours[i-1]-1)))
		}
	}
	usual, records := s.Usual()
	silences := slices.Clone(s.Silences)
	slices.SortFunc(silences, func(a, b artifact.Silence) int { return int(min(max(a.From-b.From, -1), 1)) })
	for _, x := range silences {
		n := d.records(x)
		if len(out) >= maxGaps || records < fewRecords || d.days < fewDays || x.To-x.From < 4*usual || n < expected || within(out, x) {
			continue
		}
		out = append(out, gap(x.From, x.To, fmt.Sprintf("silent for %s, in a log that otherwise has about %d records in such a time of the day, 999 of 1000 of them within %d seconds", (time.Duration(x.To-x.From)*time.Second).String(), n, usual)))
	}
	return out
}

func gap(from, to int64, why string) casefile.Gap {
	return casefile.Gap{From: time.Unix(from, 0).UTC().Format(time.RFC3339), To: time.Unix(to, 0).UTC().Format(time.RFC3339), Why: why}
}

// missed counts the hours of a silence in which the log tells something on most days. Before there are days enough, a log that tells something
// in most hours of all has its rhythm in every hour.
func (d *daily) missed(from, to int64) (n int64) {
	if d.days < fewDays {
		if float64(len(d.hours)) < often*float64(d.last-d.first+1) {
			return 0
		}
		return to - from
	}
	for h := from; h < to && n < 24*366; h++ {
		if d.share[h%24] >= often {
			n++
		}
	}
	return n
}

func (d *daily) why(missed, silent int64) string {
	if d.days < fewDays {
		return fmt.Sprintf("silent for %d hours, in a log that otherwise tells something in %d of %d hours", silent, len(d.hours), d.last-d.first+1)
	}
	return fmt.Sprintf("silent for %d hours, of which %d are hours of the day in which the log nearly always tells something, by %d days", silent, missed, d.days)
}

// records is how many records a silence should have, by the hours of the day that it touches; 0 if one of them is often silent.
func (d *daily) records(x artifact.Silence) (n int64) {
	for h := x.From / secondsHour; h*secondsHour < x.To && h-x.From/secondsHour < 48; h++ {
		if d.share[h%24] < always {
			return 0
		}
		seconds := min(x.To, (h+1)*secondsHour) - max(x.From, h*secondsHour)
		n += d.usual[h%24] * seconds / secondsHour
	}
	return n
}

func within(gaps []casefile.Gap, x artifact.Silence) bool {
	g := gap(x.From, x.To, "")
	for _, y := range gaps {
		if y.From < g.To && g.From < y.To {
			return true
		}
	}
	return false
}

// mark is a moment at which logs are silent for a reason.
type mark struct {
	source string
	at     int64 // seconds since 1970
	what   string
}

// mark keeps what explains that logs are silent.
func (r *run) mark(h *seenHost, e *event.Event) {
	what := ""
	switch e.Kind {
	case event.Boot:
		what = "the machine started"
	case event.Shutdown:
		what = "the machine went down"
	case event.ClockChanged:
		what = "the clock was set"
	}
	if what != "" && e.At.Known() && len(r.marks) < maxMarks {
		r.marks = append(r.marks, mark{h.Source, e.At.Sec, what})
	}
}

// explainGaps adds to each gap what happened in it: a server that is off writes nothing.
func (r *run) explainGaps() {
	for i := range r.res.Coverage {
		c := &r.res.Coverage[i]
		for k := range c.Gaps {
			g := &c.Gaps[k]
			from, err := time.Parse(time.RFC3339, g.From)
			to, err2 := time.Parse(time.RFC3339, g.To)
			if err != nil || err2 != nil {
				continue
			}
			for _, m := range r.marks {
				if m.source == c.Source && m.at >= from.Unix()-nearAMark && m.at <= to.Unix()+nearAMark {
					g.Why += fmt.Sprintf("; %s at %s, which explains it", m.what, time.Unix(m.at, 0).UTC().Format(time.RFC3339))
					break
				}
			}
		}
	}
}
