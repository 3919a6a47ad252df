package servicelog

import (
	"bytes"
	"time"

	"telltale/artifact/internal/said"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// ofJava reads what java.util.logging writes above its messages: "Apr 15, 2013 8:34:08 PM org.example.Class method".
func ofJava(c *logclock.Clock, t []byte) (evidence.Time, bool) {
	day, rest, ok := said.Cut(t[:min(len(t), 40)], ", ")
	word, date := said.FirstWord(day)
	year, rest := said.FirstWord(rest)
	clock, rest := said.FirstWord(rest)
	half, _ := said.FirstWord(rest)
	if !ok || len(word) != 3 || len(year) != 4 || len(clock) < 7 || len(clock) > 8 || len(half) != 2 || half[1]|0x20 != 'm' {
		return evidence.Time{}, false
	}
	if len(clock) == 7 {
		clock = append([]byte{'0'}, clock...)
	}
	h := logclock.Digits(clock[:2])
	if h < 1 || h > 12 {
		return evidence.Time{}, false
	}
	h %= 12
	if half[0]|0x20 == 'p' {
		h += 12
	}
	clock = append([]byte{byte('0' + h/10), byte('0' + h%10)}, clock[2:]...)
	return local(c, logclock.Digits(year), logclock.Month(append(bytes.ToUpper(word[:1]), word[1:]...)), logclock.Digits(bytes.TrimLeft(date, " ")), clock)
}

// zones are names of zones that stand for one distance from UTC alone, in seconds. "CST", "IST" and "BST" stand for several.
var zones = map[string]int{"UTC": 0, "GMT": 0, "WEST": 3600, "CET": 3600, "CEST": 7200, "EET": 7200, "EEST": 10800, "MSK": 10800, "EDT": -14400, "EST": -18000, "CDT": -18000, "MDT": -21600, "MST": -25200, "PDT": -25200, "PST": -28800, "JST": 32400, "KST": 32400, "AEST": 36000, "NZST": 43200}

// zoned reads "PDT Apr 16 21:05:29", as monit writes it.
func zoned(c *logclock.Clock, t []byte) (evidence.Time, bool) {
	name, rest := said.FirstWord(t)
	off, known := zones[string(name)]
	if !known {
		return evidence.Time{}, false
	}
	at, n := c.BSD(rest)
	if n == 0 {
		return evidence.Time{}, false
	}
	host := c.Zone
	if host == nil {
		host = time.UTC
	}
	d := time.Unix(at.Sec, 0).In(host) // the wall clock that was read, whose zone is not the host's
	wall := time.Date(d.Year(), d.Month(), d.Day(), d.Hour(), d.Minute(), d.Second(), 0, time.UTC)
	at.Sec = wall.Unix() - int64(off)
	return at, true
}
