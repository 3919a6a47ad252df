// Package logclock turns the stamps of logs into instants. Two things that a stamp
// does not say come from outside: the zone, where it has no offset, and the year,
// where it has none. A Clock is for one file read from its beginning to its end.
package logclock

import (
	"time"

	"telltale/evidence"
)

// Clock resolves stamps of one file, in the order of the file.
type Clock struct {
	Zone  *time.Location // of stamps without an offset; nil means UTC
	Year  int            // of the first yearless stamp; counts up while the file is read
	Basis string         // where Year and Zone come from, in words for the report

	month              time.Month // of the last yearless stamp
	turned             bool       // a year has ended within the file
	lines              int        // since then
	key                int64      // what base was computed for: year, month, day, hour
	base               int64      // the Unix time of that hour's beginning
	Yearless, Zoneless bool       // whether the file needed Year or Zone
}

// Local gives the instant of a stamp that has a year and no offset. Values out of
// range are not a stamp: ok is false.
func (c *Clock) Local(year int, month time.Month, day, hour, min, sec int, nsec int32, step time.Duration) (t evidence.Time, ok bool) {
	if !plausible(month, day, hour, min, sec) || year < 1970 || year > 2200 {
		return evidence.Time{}, false
	}
	c.Zoneless = true
	return c.local(year, month, day, hour, min, sec, nsec, step), true
}

// NoYear gives the instant of a stamp like "Jan _2 15:04:05". The year counts up
// where the months fall back; a line that is late over New Year belongs to the old one.
func (c *Clock) NoYear(month time.Month, day, hour, min, sec int, nsec int32, step time.Duration) (t evidence.Time, ok bool) {
	if !plausible(month, day, hour, min, sec) {
		return evidence.Time{}, false
	}
	c.Yearless, c.Zoneless = true, true
	year := c.Year
	c.lines++
	switch {
	case c.month == 0:
		c.month = month
	case NewYear(c.month, month):
		c.Year++
		c.turned = true
		year = c.Year
		c.month, c.lines = month, 0
	case c.month == time.January && month == time.December && c.turned && c.lines < late:
		year--
	case month > c.month:
		c.month = month
	}
	return c.local(year, month, day, hour, min, sec, nsec, step), true
}

// Again counts a line with the stamp of the one before.
func (c *Clock) Again() {
	if c.month != 0 {
		c.lines++
	}
}

// NewYear tells whether going from month a to month b means that a year ended
// between them: months fall back by more than a reordering of lines explains.
func NewYear(a, b time.Month) bool { return a-b > 1 }

// late is how many lines behind New Year a line of December still counts as late,
// not as eleven months of silence.
const late = 1000

// Offset gives the instant of a stamp that says its offset from UTC in seconds.
func Offset(year int, month time.Month, day, hour, min, sec int, nsec int32, offset int, step time.Duration) (t evidence.Time, ok bool) {
	if !plausible(month, day, hour, min, sec) || year < 1970 || year > 2200 || offset < -86400 || offset > 86400 {
		return evidence.Time{}, false
	}
	return evidence.Time{Sec: Days(year, month, day)*86400 + int64(hour*3600+min*60+sec-offset), Nsec: nsec, Step: step}, true
}

func (c *Clock) local(year int, month time.Month, day, hour, min, sec int, nsec int32, step time.Duration) evidence.Time {
	key := ((int64(year)*16+int64(month))*32+int64(day))*32 + int64(hour)
	if key != c.key || c.key == 0 {
		zone := c.Zone
		if zone == nil {
			zone = time.UTC
		}
		c.base = time.Date(year, month, day, hour, 0, 0, 0, zone).Unix()
		c.key = key
	}
	return evidence.Time{Sec: c.base + int64(min*60+sec), Nsec: nsec, Step: step}
}

func plausible(month time.Month, day, hour, min, sec int) bool {
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour >= 0 && hour <= 23 && min >= 0 && min <= 59 && sec >= 0 && sec <= 60
}

// Days counts the days from 1970-01-01 to a date of the Gregorian calendar.
func Days(year int, month time.Month, day int) int64 {
	y, m := int64(year), int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + int64(day) - 719469
}

// Month reads "Jan" ... "Dec"; 0 where it is none.
func Month(b []byte) time.Month {
	if len(b) < 3 {
		return 0
	}
	switch uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) {
	case 'J'<<16 | 'a'<<8 | 'n':
		return 1
	case 'F'<<16 | 'e'<<8 | 'b':
		return 2
	case 'M'<<16 | 'a'<<8 | 'r':
		return 3
	case 'A'<<16 | 'p'<<8 | 'r':
		return 4
	case 'M'<<16 | 'a'<<8 | 'y':
		return 5
	case 'J'<<16 | 'u'<<8 | 'n':
		return 6
	case 'J'<<16 | 'u'<<8 | 'l':
		return 7
	case 'A'<<16 | 'u'<<8 | 'g':
		return 8
	case 'S'<<16 | 'e'<<8 | 'p':
		return 9
	case 'O'<<16 | 'c'<<8 | 't':
		return 10
	case 'N'<<16 | 'o'<<8 | 'v':
		return 11
	case 'D'<<16 | 'e'<<8 | 'c':
		return 12
	}
	return 0
}

// Digits reads a decimal number of exactly len(b) digits; a leading blank stands for
// a zero, as in "Jan  2". It gives -1 where b is not one.
func Digits(b []byte) int {
	n := 0
	for i, x := range b {
		if x == ' ' && i == 0 && len(b) == 2 {
			continue
		}
		if x < '0' || x > '9' {
			return -1
		}
		n = n*10 + int(x-'0')
	}
	return n
}
