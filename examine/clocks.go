package examine

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"telltale/evidence"
	"telltale/internal/lines"
	"telltale/internal/logclock"
)

// yearless is what a first look at a log without years gives: the first and last stamp and how many
// years end within it.
type yearless struct {
	ok          bool
	first, last monthDay
	turns       int
}

type monthDay struct {
	month             time.Month
	day, hour, min, s int
}

// behindBracket takes "[" off a line, and the name of a zone behind it: "[PDT Apr 16 21:05:29] text".
func behindBracket(b []byte) []byte {
	if len(b) < 16 || b[0] != '[' {
		return b
	}
	b = b[1:]
	i := 0
	for i < 5 && b[i] >= 'A' && b[i] <= 'Z' {
		i++
	}
	if i > 1 && b[i] == ' ' {
		b = b[i+1:]
	}
	return b
}

// scan looks at the stamps of a log. It reads the whole file only if the first lines have stamps without a year.
func scan(r io.Reader) (y yearless) {
	lr := lines.NewReader(r)
	c := &logclock.Clock{Year: 2000} // a leap year: the 29th of February is no surprise
	start := c.Year
	seen := 0
	var month [3]byte
	var tail [32]byte // the beginning of the newest line of the same month: only the last one is read
	n := 0
	for l, ok := lr.Next(); ok; l, ok = lr.Next() {
		b := l.Text
		if y.ok && len(b) > 16 && b[3] == ' ' && [3]byte(b[:3]) == month {
			n = copy(tail[:], b)
			if l.Off > busyFrom {
				lr.Skip(sameDay(lr.Ahead(), b[:6]))
			}
			continue
		}
		if len(b) > 4 && b[0] == '<' {
			for i := 1; i < 5 && i < len(b); i++ {
				if b[i] == '>' {
					b = b[i+1:]
					break
				}
			}
		}
		b = behindBracket(b)
		c.Yearless = false
		t, k := c.BSD(b)
		if k == 0 || !c.Yearless {
			if seen++; seen > 20 && !y.ok {
				return y
			}
			continue
		}
		s := t.Std()
		md := monthDay{s.Month(), s.Day(), s.Hour(), s.Minute(), s.Second()}
		if !y.ok {
			y.first, y.ok = md, true
		}
		y.last = md
		month, n = [3]byte(b[:3]), 0
	}
	if t, k := c.BSD(tail[:n]); k > 0 {
		s := t.Std()
		y.last = monthDay{s.Month(), s.Day(), s.Hour(), s.Minute(), s.Second()}
	}
	y.turns = c.Year - start
	return y
}

// A log that is larger than busyFrom says so much in a day that of the next dayAhead bytes only the last line need be looked at, if it is of the same day.
const (
	busyFrom = 1 << 20
	dayAhead = 16 << 10
)

// sameDay gives how many bytes of text, which begins with a line, are lines before one that begins with the same day as the line before them all.
func sameDay(text, day []byte) int {
	text = text[:min(len(text), dayAhead)]
	i := bytes.LastIndexByte(text, '\n')
	if i < 0 {
		return 0
	}
	last := bytes.LastIndexByte(text[:i], '\n') + 1
	if !bytes.HasPrefix(text[last:], day) {
		return 0
	}
	return last
}

func (m monthDay) in(year int, zone *time.Location) time.Time {
	return time.Date(year, m.month, m.day, m.hour, m.min, m.s, 0, zone)
}

// exists tells whether the date is one of that year's: the 29th of February is a hard constraint.
func (m monthDay) exists(year int) bool {
	return m.in(year, time.UTC).Day() == m.day
}

// solve gives the year of a log's first line: its last line was written no later than bound, the
// newest of all years that allow it, and the 29th of February only in leap years.
func (y yearless) solve(bound time.Time, zone *time.Location) (first int, last time.Time) {
	year := bound.In(zone).Year() + 1
	for ; year > 1970; year-- {
		if y.last.exists(year) && y.first.exists(year-y.turns) && !y.last.in(year, zone).After(bound.Add(36*time.Hour)) {
			break
		}
	}
	return year - y.turns, y.last.in(year, zone)
}

// nothingBounds says why a year is no more than a guess.
const nothingBounds = "nothing in the evidence bounds the year"

// copiedLater is how long before its file's last change a log's last line may lie: a log is changed by its lines, so one that was changed long after is a
// copy, and its time says no more than that it was not written later.
const copiedLater = 48 * time.Hour

// clockFor gives the clock of one file of a family, newest first. bound is what the file may not be
// later than: the first line of the next newer file, or its own modification time.
func clockFor(y yearless, zone *time.Location, zoneFrom string, mtime evidence.Time, newer, latest time.Time) (*logclock.Clock, time.Time) {
	c := &logclock.Clock{Zone: zone, Basis: "zone from " + zoneFrom}
	if !y.ok {
		return c, newer
	}
	bound, why := time.Now(), "the examiner's clock ("+nothingBounds+")"
	if mtime.Known() {
		bound, why = mtime.Std(), "the file's modification time "+mtime.String()
	}
	if !latest.IsZero() && (!mtime.Known() || latest.Before(bound.AddDate(0, -6, 0))) {
		bound, why = latest, "the latest time in the host's logs that have years, "+latest.UTC().Format(time.RFC3339)
	}
	if !newer.IsZero() && newer.Before(bound) {
		bound, why = newer, "the first line of the next newer file of this log"
	}
	year, last := y.solve(bound, zone)
	c.Year = year
	if newer.IsZero() && mtime.Known() && bound.Equal(mtime.Std()) && bound.Sub(last) > copiedLater {
		why += fmt.Sprintf(", %d days after its last line: a copy's, so that %s but from above", int(bound.Sub(last).Hours()/24), nothingBounds)
	}
	c.Basis = fmt.Sprintf("year %d from %s; zone from %s", last.Year(), why, zoneFrom)
	return c, y.first.in(year, zone)
}
